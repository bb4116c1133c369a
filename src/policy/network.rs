//! Networks of IP addresses.

use super::pattern_fault::PatternFault;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// All addresses with the same leading bits, as in `10.0.0.0/8`. A bare address is a network of
/// one. An IPv4 address mapped into IPv6 is read as the IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// IPv6, or IPv4 mapped into IPv6.
    bits: u128,
    mask: u128,
    is_v4: bool,
}

impl Network {
    /// Whether the address is in this network.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.is_v4 && bits(address) & self.mask == self.bits
    }

    /// The network's first address; a network is written with it.
    fn first(bits: u128) -> IpAddr {
        Ipv6Addr::from_bits(bits).to_canonical()
    }
}

impl FromStr for Network {
    type Err = PatternFault;

    fn from_str(text: &str) -> Result<Self, PatternFault> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| PatternFault::NotANetwork)?;
        let is_v4 = address.is_ipv4();
        let most: u32 = if is_v4 { Ipv4Addr::BITS } else { Ipv6Addr::BITS };
        let length = match length {
            Some(digits) if !digits.starts_with(['+', '0']) || digits == "0" => {
                digits.parse().ok().filter(|length| *length <= most)
            }
            Some(_) => None,
            None => Some(most),
        };
        let host_bits = most.saturating_sub(length.ok_or(PatternFault::NotANetwork)?);
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or_default();
        // An IPv6 network of mapped addresses would never contain an address, since those are read
        // as IPv4.
        let is_canonical = address.to_canonical() == address;
        let mask = if is_v4 { mask | !u128::from(u32::MAX) } else { mask };
        if bits(address) & !mask != 0 || !is_canonical {
            let first = Self::first(bits(address) & mask);
            let most = if first.is_ipv4() { Ipv4Addr::BITS } else { most };
            let length = most.saturating_sub(host_bits);
            return Err(PatternFault::NotTheFirst { first, length });
        }
        Ok(Self { bits: bits(address), mask, is_v4 })
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_the_addresses_that_begin_as_it_does() {
        for (network, address, is_in) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "9.255.255.255", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
            ("192.0.2.6/31", "192.0.2.7", true),
            ("192.0.2.6/31", "192.0.2.8", false),
            ("0.0.0.0/0", "255.1.2.3", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "192.0.2.7", false),
            ("::/0", "::ffff:192.0.2.7", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::1", "::1", true),
            ("::1/128", "::2", false),
            ("fe80::/10", "febf::1", true),
            ("fe80::/10", "fec0::1", false),
        ] {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), is_in, "{network:?} {address}");
        }
    }

    #[test]
    fn a_text_that_is_not_a_network_is_refused() {
        for text in [
            "",
            "/",
            "10",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "10.0.0.0/8/8",
            "10.0.0.0/255.0.0.0",
            "010.0.0.0/8",
            "10.0.0/8",
            "::/129",
            "fe80::1%eth0",
            "[::1]",
            "10.0.0.1:80",
            "localhost",
            " 10.0.0.1",
            "::/00",
        ] {
            assert_eq!(Network::from_str(text), Err(PatternFault::NotANetwork), "{text:?}");
        }
        for (text, first, length) in [
            ("10.0.0.5/8", "10.0.0.0", 8),
            ("10.1.0.0/0", "0.0.0.0", 0),
            ("2001:db8::1/32", "2001:db8::", 32),
            ("::ffff:10.0.0.0/104", "10.0.0.0", 8),
            ("::ffff:10.0.0.1", "10.0.0.1", 32),
            ("::ffff:10.0.0.1/90", "::ffc0:0:0", 90),
        ] {
            // The network that the error suggests is accepted.
            assert!(Network::from_str(&format!("{first}/{length}")).is_ok(), "{text:?}");
            let first = first.parse().unwrap();
            assert_eq!(
                Network::from_str(text),
                Err(PatternFault::NotTheFirst { first, length }),
                "{text:?}"
            );
        }
    }
}
