//! Whole numbers as floats, for ratios alone: money stays whole.

/// The float next to `number`.
#[must_use]
pub fn real(number: i64) -> f64 {
    const HALF: f64 = 4_294_967_296.0;
    let high = i32::try_from(number >> 32).unwrap_or_default();
    let low = u32::try_from(number & 0xffff_ffff).unwrap_or_default();
    f64::from(high) * HALF + f64::from(low)
}

/// `part` of `whole`; nothing of nothing is 0.
#[must_use]
pub fn ratio(part: i64, whole: i64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        real(part) / real(whole)
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "these are exact")]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_the_same_as_a_float() {
        for (number, float) in [
            (0, 0.0),
            (1, 1.0),
            (-1, -1.0),
            (4_294_967_296, 4_294_967_296.0),
            (-4_294_967_297, -4_294_967_297.0),
            (1_000_000_000_000_000, 1e15),
        ] {
            assert_eq!(real(number), float);
        }
        assert_eq!(ratio(1, 0), 0.0);
        assert_eq!(ratio(1, 4), 0.25);
    }
}
