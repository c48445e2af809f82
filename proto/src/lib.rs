//! The contract of the platform: what components ask of each other and the facts they publish.
//!
//! The sources are `paymesh/<component>/v1/*.proto`; messages, clients and servers are generated from them into
//! `<component>::v1`. [`METHODS`] says of each RPC who may call it, which permission it needs and whether it may be
//! sent again; [`FACTS`] and [`Fact`] join each event message to its routing key. The build fails on an RPC or a fact
//! that does not declare these.
//!
//! Limits: no logic, no validation. What a field may hold is written at the field and checked by the component that
//! receives it.

mod fact;
mod method;

pub use fact::{FACTS, Fact, FactType, fact_type};
pub use method::{Idempotency, METHODS, Method, method};

/// The encoded `google.protobuf.FileDescriptorSet` of the whole contract with its options, for reflection and docs.
pub static FILE_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

macro_rules! package {
    ($component:ident, $doc:literal) => {
        #[doc = $doc]
        #[allow(
            clippy::all,
            clippy::as_conversions,
            clippy::wildcard_enum_match_arm,
            clippy::too_many_lines,
            clippy::allow_attributes_without_reason,
            clippy::unused_async,
            missing_docs,
            missing_debug_implementations,
            unreachable_pub,
            rustdoc::all,
            reason = "generated code"
        )]
        pub mod $component {
            /// Version 1.
            pub mod v1 {
                include!(concat!(
                    env!("OUT_DIR"),
                    "/paymesh.",
                    stringify!($component),
                    ".v1.rs"
                ));
            }
        }
    };
}

package!(account, "The ledger.");
package!(bus, "The envelope of every fact.");
package!(currency, "Rates and quotes.");
package!(merchant, "Merchants, plans and terminals.");
package!(payment, "Payment methods, attempts, refunds and disputes.");
package!(reporting, "Report definitions, schedules and runs.");
package!(risk, "Rules, lists, models and decisions.");
package!(
    settlement,
    "Batches, positions, payouts and reconciliation."
);
package!(transaction, "The business transaction.");
package!(types, "Values that every component shares.");
package!(user, "Tenants, users, sessions and API keys.");

/// Stands for the value of a sensitive field in `Debug` output.
struct Redacted;

impl std::fmt::Debug for Redacted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

include!(concat!(env!("OUT_DIR"), "/redacted.rs"));
