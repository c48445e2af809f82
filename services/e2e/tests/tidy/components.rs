//! The list of components. A new one is added here, and `tidy` then names what is still missing.

/// Every component: its folder under `services`, the crate `paymesh-<name>`, the proto package, the
/// CLI word, the configuration section and the Helm key.
pub(crate) const COMPONENTS: [&str; 17] = [
    "account",
    "analytics",
    "audit",
    "currency",
    "eventstore",
    "gateway",
    "inventory",
    "merchant",
    "notification",
    "order",
    "payment",
    "reporting",
    "risk",
    "settlement",
    "shipping",
    "transaction",
    "user",
];

/// Folders under `services` that are no components.
pub(crate) const NOT_COMPONENTS: [&str; 4] = ["e2e", "foundation", "paymesh", "simulators"];

/// What every component crate has. A file may be a folder of the same name instead.
pub(crate) const COMPONENT_FILES: [&str; 9] = [
    "README.md",
    "src/lib.rs",
    "src/config.rs",
    "src/domain.rs",
    "src/store.rs",
    "src/app.rs",
    "src/grpc.rs",
    "src/error.rs",
    "tests/it/main.rs",
];

/// Packages that may depend on components, because they put them together.
pub(crate) const ASSEMBLIES: [&str; 2] = ["paymesh", "paymesh-e2e"];

/// The component that a package is, if it is one.
pub(crate) fn of_package(package: &str) -> Option<&'static str> {
    let name = package.strip_prefix("paymesh-")?;
    COMPONENTS
        .iter()
        .copied()
        .find(|component| *component == name)
}

/// The component that a file belongs to, and the file's path inside it.
pub(crate) fn of_file(path: &str) -> Option<(&'static str, &str)> {
    let (name, inside) = path.strip_prefix("services/")?.split_once('/')?;
    let component = COMPONENTS
        .iter()
        .copied()
        .find(|component| *component == name)?;
    Some((component, inside))
}
