//! The memory of a virtual machine, and the encoding of header maps in it.

use super::stream::Map;
use super::vm::Data;
use wasmi::Caller;

pub(super) type C<'a> = Caller<'a, Data>;

fn range(at: i32, len: i32) -> std::ops::Range<usize> {
    let start = at as u32 as usize;
    start..start + len as u32 as usize
}

pub(super) fn read(c: &C<'_>, at: i32, len: i32) -> Vec<u8> {
    c.data().memory().data(c)[range(at, len)].to_vec()
}

pub(super) fn text(c: &C<'_>, at: i32, len: i32) -> String {
    String::from_utf8(read(c, at, len)).expect("text")
}

pub(super) fn write(c: &mut C<'_>, at: i32, bytes: &[u8]) {
    let memory = c.data().memory();
    memory.data_mut(c)[range(at, bytes.len() as i32)].copy_from_slice(bytes);
}

pub(super) fn write_number(c: &mut C<'_>, at: i32, number: u32) {
    write(c, at, &number.to_le_bytes());
}

/// Passes bytes in memory of the module's allocator.
pub(super) fn give(c: &mut C<'_>, bytes: &[u8], data: i32, len: i32) {
    let mut at = 0;
    if !bytes.is_empty() {
        let allocate = c.data().allocator();
        at = allocate.call(&mut *c, bytes.len() as i32).expect("an allocation");
        write(c, at, bytes);
    }
    write_number(c, data, at as u32);
    write_number(c, len, bytes.len() as u32);
}

/// A map as the ABI has it; no bytes if it is empty.
pub(super) fn serialized(map: &Map) -> Vec<u8> {
    if map.is_empty() {
        return Vec::new();
    }
    let mut bytes = (map.len() as u32).to_le_bytes().to_vec();
    for (name, value) in map {
        bytes.extend((name.len() as u32).to_le_bytes());
        bytes.extend((value.len() as u32).to_le_bytes());
    }
    for part in map.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend(part);
        bytes.push(0);
    }
    bytes
}

pub(super) fn parsed(bytes: &[u8]) -> Map {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    if bytes.is_empty() {
        return Map::new();
    }
    let count = number(0);
    let mut at = 4 + 8 * count;
    let mut part = |len: usize| {
        let part = bytes[at..at + len].to_vec();
        assert_eq!(bytes[at + len], 0, "each part ends with NUL");
        at += len + 1;
        part
    };
    let pairs = (0..count).map(|it| (part(number(4 + 8 * it)), part(number(8 + 8 * it))));
    pairs.collect()
}
