//! The ways to round, and the one division that does it.

/// What happens to the part of a result that does not fit. Always named by the caller, never a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// To the nearest; a tie goes to the even neighbour. Without bias over many operations.
    HalfEven,
    /// Towards zero. The result is never larger in magnitude than the exact one.
    Down,
    /// Away from zero. The result is never smaller in magnitude than the exact one.
    Up,
}

/// A quotient that was cut off before it was complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    /// The numerator is exact.
    Exact,
    /// The exact numerator is larger by something between zero and one, both excluded.
    Inexact,
}

/// `10^exponent`, or `None` above `10^38`.
pub(crate) fn pow10(exponent: u32) -> Option<u128> {
    10_u128.checked_pow(exponent)
}

/// `numerator / denominator` as a whole number. `None` when the denominator is zero or the result overflows.
///
/// A numerator with an inexact tail needs a denominator of at least two, else the tail cannot be compared with one half.
pub(crate) fn divide(
    numerator: u128,
    denominator: u128,
    tail: Tail,
    rounding: Rounding,
) -> Option<u128> {
    assert!(
        tail == Tail::Exact || denominator >= 2,
        "M7: a tail is rounded once, together with the digits before it"
    );
    let quotient = numerator.checked_div(denominator)?;
    let remainder = numerator.checked_rem(denominator)?;
    let exact = remainder == 0 && tail == Tail::Exact;
    let away = match rounding {
        Rounding::Down => false,
        Rounding::Up => !exact,
        Rounding::HalfEven => {
            let missing = denominator.checked_sub(remainder)?;
            let odd = quotient.checked_rem(2)? == 1;
            remainder > missing || (remainder == missing && (tail == Tail::Inexact || odd))
        }
    };
    quotient.checked_add(u128::from(away))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m7_ties_go_to_even_and_the_other_modes_to_their_side() {
        for (numerator, denominator, half_even, down, up) in [
            (0, 10, 0, 0, 0),
            (1, 10, 0, 0, 1),
            (4, 10, 0, 0, 1),
            (5, 10, 0, 0, 1),
            (6, 10, 1, 0, 1),
            (10, 10, 1, 1, 1),
            (15, 10, 2, 1, 2),
            (25, 10, 2, 2, 3),
            (26, 10, 3, 2, 3),
            (7, 3, 2, 2, 3),
            (8, 3, 3, 2, 3),
            (u128::MAX, 1, u128::MAX, u128::MAX, u128::MAX),
        ] {
            let all = [Rounding::HalfEven, Rounding::Down, Rounding::Up];
            let results = all.map(|rounding| divide(numerator, denominator, Tail::Exact, rounding));
            assert_eq!(
                results,
                [Some(half_even), Some(down), Some(up)],
                "M7: {numerator}/{denominator}"
            );
        }
    }

    #[test]
    fn m7_an_inexact_tail_breaks_a_tie_upwards_and_is_never_lost() {
        for (numerator, half_even, down, up) in
            [(20, 2, 2, 3), (24, 2, 2, 3), (25, 3, 2, 3), (26, 3, 2, 3)]
        {
            let all = [Rounding::HalfEven, Rounding::Down, Rounding::Up];
            let results = all.map(|rounding| divide(numerator, 10, Tail::Inexact, rounding));
            assert_eq!(
                results,
                [Some(half_even), Some(down), Some(up)],
                "M7: {numerator}/10"
            );
        }
    }

    #[test]
    fn m2_dividing_by_zero_is_no_panic() {
        assert_eq!(divide(1, 0, Tail::Exact, Rounding::HalfEven), None);
    }
}
