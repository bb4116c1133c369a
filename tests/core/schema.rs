//! The JSON Schema of the plugin configuration, as it is shipped: it accepts each configuration that
//! the reader accepts, and refuses each fault that a schema can express.

mod inexpressible;

use boon::{Compiler, SchemaIndex, Schemas};
use duo_mfa::config::{ConfigFaults, Fault};
use serde_json::Value;
use std::sync::LazyLock;

const FILE: &str = "docs/schema/v1/plugin.json";

static SCHEMA: LazyLock<(Schemas, SchemaIndex)> = LazyLock::new(|| {
    let text = crate::docs::read(FILE);
    let schema = serde_json::from_str(&text).unwrap();
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("https://duo-mfa.test/plugin.json", schema).unwrap();
    let index = compiler.compile("https://duo-mfa.test/plugin.json", &mut schemas).unwrap();
    (schemas, index)
});

/// Whether the schema accepts a configuration; else the first lines of its report.
pub(crate) fn accepts(document: &Value) -> Result<(), String> {
    let (schemas, index) = &*SCHEMA;
    schemas.validate(document, *index).map_err(|fault| format!("{FILE}: {fault:#}"))
}

/// Compares the schema's judgement with that of the reader: `faults` are the faults that it found.
/// The schema may accept a document whose faults it cannot express.
pub(crate) fn agrees(document: &Value, faults: Option<&ConfigFaults>) -> Result<(), String> {
    match (accepts(document), faults) {
        (Ok(()), None) | (Err(_), Some(_)) => Ok(()),
        (Err(fault), None) => Err(format!("the reader accepts {document}\n{fault}")),
        (Ok(()), Some(faults)) => {
            let is_excused = |fault: &Fault| inexpressible::is_known(fault);
            if faults.iter().all(is_excused) {
                return Ok(());
            }
            Err(format!("the schema accepts {document}\nand the reader refuses it: {faults}"))
        }
    }
}

/// Fails the test if the two disagree.
pub(crate) fn must_agree(document: &Value, faults: Option<&ConfigFaults>) {
    agrees(document, faults).unwrap_or_else(|fault| panic!("{fault}"));
}
