//! The health of a pair of keys as stored in shared data, which other plugins may write too.

use super::health::Health;
use crate::session::{SharedKey, SharedValues};

/// There is one record under each key.
const NUMBER: u16 = 0;

/// The name and the MAC of one record.
#[derive(Clone, Debug)]
pub struct HealthRecord(SharedValues);

impl HealthRecord {
    /// The record of the keys with this [shared key](super::KeyPair::shared_key).
    #[must_use]
    pub fn new(key: &SharedKey) -> Self {
        Self(key.values("health/1"))
    }

    /// The name in shared data.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.name(NUMBER)
    }

    /// The bytes to store.
    #[must_use]
    pub fn seal(&self, health: &Health) -> Vec<u8> {
        self.0.seal(NUMBER, health.encode())
    }

    /// Reads the bytes of [`Self::seal`]; `None` for any others, which count as no check yet.
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
    fn the_name_cannot_be_known_without_the_key() {
        let names = [record(b"a secret of ours").name(), record(b"a secret of theirs").name()];
        assert_ne!(names[0], names[1]);
    }
}
