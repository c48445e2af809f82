//! The one binary. Arguments and exit codes; everything else is in the library.

use std::process::ExitCode;

/// See ADR 0005.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    paymesh::cli::main()
}
