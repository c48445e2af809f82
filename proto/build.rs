//! Compiles the contract without protoc: `.proto` files through protox to a descriptor set, from that the Rust code
//! and the tables `METHODS` and `FACTS`. A contract that breaks its own rules (README.md) does not build.

use std::collections::BTreeSet;
use std::env;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, MessageDescriptor, MethodDescriptor, Value,
};

/// Every word that `callers` may hold: the components of the platform.
const COMPONENTS: &[&str] = &[
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

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let root = own_folder();
    println!("cargo:rerun-if-changed=paymesh");
    #[allow(
        clippy::disallowed_methods,
        reason = "cargo hands a build script its output folder only this way"
    )]
    let out = PathBuf::from(std::env::var("OUT_DIR")?);

    let mut files = Vec::new();
    find_protos(&root.join("paymesh"), &mut files)?;
    files.sort();

    let mut compiler = protox::Compiler::new([&root])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        .open_files(&files)?;
    let mut bare = protox::Compiler::new([&root])?;
    bare.include_imports(true)
        .include_source_info(false)
        .open_files(&files)?;
    fs::write(
        out.join("descriptors.bin"),
        bare.encode_file_descriptor_set(),
    )?;

    let pool = compiler.descriptor_pool();
    let contract = Contract::read(&pool)?;
    contract.check_comments()?;
    fs::write(out.join("methods.rs"), contract.methods()?)?;
    fs::write(out.join("facts.rs"), contract.facts()?)?;
    let sensitive = contract.sensitive_messages();
    fs::write(
        out.join("redacted.rs"),
        contract.redacted_debug(&sensitive)?,
    )?;

    let names: Vec<String> = sensitive
        .iter()
        .map(|m| format!(".{}", m.full_name()))
        .collect();
    tonic_prost_build::configure()
        .build_transport(false)
        .bytes(".paymesh.bus.v1.Envelope.payload")
        .skip_debug(names)
        .compile_fds(prost_types_of(&compiler)?)?;
    Ok(())
}

/// The descriptor set as prost's generator wants it: comments kept, custom options dropped.
fn prost_types_of(compiler: &protox::Compiler) -> Result<prost_types::FileDescriptorSet> {
    Ok(prost_types::FileDescriptorSet::decode(
        compiler.encode_file_descriptor_set().as_slice(),
    )?)
}

/// Asked when it runs: a target folder that several clones share keeps the program that one of them built.
#[allow(
    clippy::disallowed_methods,
    reason = "cargo tells a build script everything by its environment"
)]
fn own_folder() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, PathBuf::from)
}

fn find_protos(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find_protos(&path, found)?;
        } else if path.extension().is_some_and(|e| e == "proto") {
            found.push(path);
        }
    }
    Ok(())
}

/// The compiled contract and the options it declares for itself.
struct Contract<'a> {
    pool: &'a DescriptorPool,
    permission: ExtensionDescriptor,
    callers: ExtensionDescriptor,
    fact: ExtensionDescriptor,
    aggregate: ExtensionDescriptor,
    sensitive: ExtensionDescriptor,
}

impl<'a> Contract<'a> {
    fn read(pool: &'a DescriptorPool) -> Result<Self> {
        let find = |name: &str| {
            pool.get_extension_by_name(&format!("paymesh.options.v1.{name}"))
                .ok_or_else(|| format!("options.proto lacks `{name}`"))
        };
        Ok(Self {
            pool,
            permission: find("permission")?,
            callers: find("callers")?,
            fact: find("fact")?,
            aggregate: find("aggregate")?,
            sensitive: find("sensitive")?,
        })
    }

    fn messages(&self) -> impl Iterator<Item = MessageDescriptor> + '_ {
        self.pool
            .all_messages()
            .filter(|m| m.package_name().starts_with("paymesh.") && !m.is_map_entry())
    }

    /// Each message, enum, service and RPC says what it is.
    fn check_comments(&self) -> Result<()> {
        let enums = self
            .pool
            .all_enums()
            .filter(|e| e.package_name().starts_with("paymesh."));
        let services = || self.pool.services();
        let methods = services().flat_map(|s| s.methods().collect::<Vec<_>>());
        let items = self
            .messages()
            .map(|m| (m.parent_file(), m.path().to_vec(), m.full_name().to_owned()))
            .chain(enums.map(|e| (e.parent_file(), e.path().to_vec(), e.full_name().to_owned())))
            .chain(
                services().map(|s| (s.parent_file(), s.path().to_vec(), s.full_name().to_owned())),
            )
            .chain(methods.map(|m| (m.parent_file(), m.path().to_vec(), m.full_name().to_owned())));
        for (file, path, name) in items {
            let proto = file.file_descriptor_proto();
            let locations = proto
                .source_code_info
                .iter()
                .flat_map(|info| &info.location);
            let is_described = locations
                .filter(|l| l.path == path)
                .any(|l| !l.leading_comments().trim().is_empty());
            if !is_described {
                return Err(format!("{name} lacks a comment").into());
            }
        }
        Ok(())
    }

    /// One `Method` a line, sorted by path so that it can be searched.
    fn methods(&self) -> Result<String> {
        let mut lines = BTreeSet::new();
        for service in self.pool.services() {
            for method in service.methods() {
                lines.insert(self.method_line(&method)?);
            }
        }
        Ok(format!(
            "/// Every RPC of the contract, sorted by path.\npub static METHODS: &[Method] = &[\n{}];\n",
            lines.into_iter().collect::<String>()
        ))
    }

    fn method_line(&self, method: &MethodDescriptor) -> Result<String> {
        let full_name = method.full_name();
        let options = method.options();
        let permission = text(&options, &self.permission);
        let callers = texts(&options, &self.callers);
        if permission.is_empty() || callers.is_empty() {
            return Err(format!("{full_name} lacks permission or callers").into());
        }
        if let Some(caller) = callers.iter().find(|c| !COMPONENTS.contains(&c.as_str())) {
            return Err(
                format!("{full_name} names the caller `{caller}`, which is no component").into(),
            );
        }
        let component = component_of(method.parent_service().package_name());
        if permission == "internal" && callers.iter().any(|c| c == "gateway") {
            return Err(
                format!("{full_name} is internal and cannot be called by the gateway").into(),
            );
        }
        if !["internal", "public"].contains(&permission.as_str())
            && !permission.starts_with(&format!("{component}."))
        {
            return Err(format!(
                "{full_name} has a permission of another component: `{permission}`"
            )
            .into());
        }
        let level = options
            .has_field_by_name("idempotency_level")
            .then(|| options.get_field_by_name("idempotency_level"))
            .flatten()
            .and_then(|level| level.as_enum_number());
        let idempotency = match level {
            Some(0) => "Unknown",
            Some(1) => "NoSideEffects",
            Some(2) => "Idempotent",
            Some(_) | None => return Err(format!("{full_name} lacks idempotency_level").into()),
        };
        Ok(format!(
            "    Method {{ path: \"/{}/{}\", component: {component:?}, permission: {permission:?}, callers: &{callers:?}, \
             idempotency: Idempotency::{idempotency} }},\n",
            method.parent_service().full_name(),
            method.name(),
        ))
    }

    /// `impl Fact` for each message with a routing key, and the table of them.
    fn facts(&self) -> Result<String> {
        let mut impls = String::new();
        let mut lines = BTreeSet::new();
        let mut keys = BTreeSet::new();
        for message in self.messages() {
            let options = message.options();
            let key = text(&options, &self.fact);
            let aggregate = text(&options, &self.aggregate);
            let name = message.full_name();
            if key.is_empty() && aggregate.is_empty() {
                continue;
            }
            if aggregate.is_empty() || !is_routing_key(&key) {
                return Err(format!(
                    "{name} has the fact `{key}` of aggregate `{aggregate}`: both are needed"
                )
                .into());
            }
            let component = component_of(message.package_name());
            if !keys.insert(key.clone()) {
                return Err(format!("{name} repeats the fact `{key}`").into());
            }
            let path = rust_path(&message);
            writeln!(
                impls,
                "impl Fact for {path} {{\n    const TYPE: &'static str = {key:?};\n    const COMPONENT: &'static str = \
                 {component:?};\n    const AGGREGATE: &'static str = {aggregate:?};\n}}"
            )?;
            lines.insert(format!(
                "    FactType {{ key: {key:?}, component: {component:?}, aggregate: {aggregate:?}, message: {name:?} }},\n"
            ));
        }
        let table: String = lines.into_iter().collect();
        Ok(format!(
            "{impls}\n/// Every fact of the contract, sorted by key.\npub static FACTS: &[FactType] = &[\n{table}];\n"
        ))
    }

    fn sensitive_messages(&self) -> Vec<MessageDescriptor> {
        self.messages()
            .filter(|m| m.fields().any(|f| self.is_sensitive(&f)))
            .collect()
    }

    fn is_sensitive(&self, field: &prost_reflect::FieldDescriptor) -> bool {
        matches!(
            field.options().get_extension(&self.sensitive).as_ref(),
            Value::Bool(true)
        )
    }

    /// `Debug` by hand for messages with secrets or personal data: such a field shows its type's presence only.
    fn redacted_debug(&self, messages: &[MessageDescriptor]) -> Result<String> {
        let mut code = String::new();
        for message in messages {
            if message.oneofs().any(|o| !o.is_synthetic()) {
                return Err(format!(
                    "{} has a oneof beside a sensitive field",
                    message.full_name()
                )
                .into());
            }
            let path = rust_path(message);
            writeln!(code, "impl std::fmt::Debug for {path} {{")?;
            writeln!(
                code,
                "    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{"
            )?;
            writeln!(code, "        f.debug_struct({:?})", message.name())?;
            for field in message.fields() {
                let name = field.name();
                if self.is_sensitive(&field) {
                    writeln!(code, "            .field({name:?}, &crate::Redacted)")?;
                } else {
                    writeln!(code, "            .field({name:?}, &self.r#{name})")?;
                }
            }
            writeln!(code, "            .finish()\n    }}\n}}")?;
        }
        Ok(code)
    }
}

fn text(options: &DynamicMessage, extension: &ExtensionDescriptor) -> String {
    options
        .get_extension(extension)
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn texts(options: &DynamicMessage, extension: &ExtensionDescriptor) -> Vec<String> {
    let value = options.get_extension(extension);
    let list = value.as_list().unwrap_or_default();
    list.iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// `paymesh.account.v1` is of the component `account`.
fn component_of(package: &str) -> &str {
    package.split('.').nth(1).unwrap_or_default()
}

/// `paymesh.account.v1.Account` is `crate::account::v1::Account`.
fn rust_path(message: &MessageDescriptor) -> String {
    let package = message
        .package_name()
        .trim_start_matches("paymesh.")
        .replace('.', "::");
    format!("crate::{package}::{}", message.name())
}

/// Lower-case words joined by points, the last of them a version: `balance.updated.v1`.
fn is_routing_key(key: &str) -> bool {
    let Some((words, version)) = key.rsplit_once(".v") else {
        return false;
    };
    let is_word = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    words.split('.').all(is_word) && version.parse::<u16>().is_ok_and(|v| v > 0)
}
