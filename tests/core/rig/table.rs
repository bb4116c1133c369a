//! The table of limits as bytes.

use super::Rig;
use duo_mfa::gate::limit::{EMPTY_LEDGER, Table};

/// The bytes of a bucket of single uses, with its MAC.
pub(crate) const LEDGER_BYTES: usize = EMPTY_LEDGER.len() + 16;

const HEAD_AND_MAC: usize = 8 + 16;

/// Whether a value of the table is a bucket of users, by its size.
pub(crate) const fn is_of_users(bytes: &[u8]) -> bool {
    bytes.len() >= HEAD_AND_MAC && (bytes.len() - HEAD_AND_MAC).is_multiple_of(180)
}

/// Foreign bytes under every name of the table, or bytes of the test's choice in one bucket.
impl Rig {
    pub(crate) fn spoil_the_table(&mut self) {
        let table = Table::new(&self.gate.config().shared);
        let names = (0..=u16::MAX).map(|number| table.values().name(number));
        self.table.extend(names.map(|name| (name, b"junk".to_vec())));
    }

    pub(crate) fn put_bucket(&mut self, number: u16, bytes: Vec<u8>) {
        let table = Table::new(&self.gate.config().shared);
        let values = table.values();
        self.table.insert(values.name(number), values.seal(number, bytes));
    }
}
