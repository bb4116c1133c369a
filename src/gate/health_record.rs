//! The health of a Duo application as it is kept in shared data, which other plugins may write too.

use super::health::Health;
use crate::session::{SharedKey, SharedValues};

/// There is one record under each key.
const NUMBER: u16 = 0;

/// The name and the seal of one application's record.
#[derive(Clone, Debug)]
pub struct HealthRecord(SharedValues);

impl HealthRecord {
    /// The record of the application whose key this is.
    #[must_use]
    pub fn new(key: &SharedKey) -> Self {
        Self(key.values("health/1"))
    }

    /// Its name in shared data.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.name(NUMBER)
    }

    /// The bytes to store.
    #[must_use]
    pub fn seal(&self, health: &Health) -> Vec<u8> {
        self.0.seal(NUMBER, health.encode())
    }

    /// Reads what [`Self::seal`] made; `None` for anything else, which counts as no check yet.
    #[must_use]
    pub fn open(&self, stored: &[u8]) -> Option<Health> {
        Health::decode(self.0.open(NUMBER, stored)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Standing;

    fn record(secret: &[u8]) -> HealthRecord {
        HealthRecord::new(&SharedKey::new(secret, &[]))
    }

    #[test]
    fn a_forged_record_counts_as_no_check_yet() {
        let ours = record(b"a secret of ours");
        let well = Health { standing: Standing::Well, ..Health::default() };
        let sealed = ours.seal(&well);
        assert_eq!(ours.open(&sealed), Some(well));
        let forgeries = [
            Vec::new(),
            well.encode(),
            record(b"a secret of theirs").seal(&well),
            [well.encode(), vec![0; 16]].concat(),
        ];
        for forged in forgeries {
            assert_eq!(ours.open(&forged), None, "{forged:?}");
        }
    }

    #[test]
    fn nobody_without_the_key_knows_the_name() {
        let names = [record(b"a secret of ours").name(), record(b"a secret of theirs").name()];
        assert_ne!(names[0], names[1]);
    }
}
