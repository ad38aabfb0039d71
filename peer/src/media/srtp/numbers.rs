//! Numbers of packets of which only the end is sent: the estimate of RFC 3711 section 3.3.1.

/// The number that ends in `low`, a remainder of `modulus`, and is nearest to the highest one known. Before any is
/// known it is the first of its kind. `None`: it would lie before the beginning.
pub(super) fn nearest(highest: Option<u64>, low: u64, modulus: u64) -> Option<u64> {
    let Some(highest) = highest else { return Some(low) };
    let ahead = (low + modulus - highest % modulus) % modulus;
    if ahead <= modulus / 2 { highest.checked_add(ahead) } else { (highest + ahead).checked_sub(modulus) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_number_crosses_the_wrap_both_ways() {
        for (highest, low, wanted) in [
            (None, 65_535, Some(65_535)),
            (Some(65_535), 0, Some(65_536)),
            (Some(65_536), 65_535, Some(65_535)),
            (Some(65_536), 32_768, Some(98_304)),
            (Some(65_536), 32_769, Some(32_769)),
            (Some(40_000), 39_999, Some(39_999)),
            (Some(100), 65_000, None),
            (Some(3 * 65_536 + 65_000), 7, Some(4 * 65_536 + 7)),
        ] {
            assert_eq!(nearest(highest, low, 65_536), wanted, "{low} near {highest:?}");
        }
    }
}
