//! Words and amounts of the contract, as rows and files have them.

use paymesh_kernel::Timestamp;
use paymesh_proto::types::v1::Money;

/// The word of a member: `ACCOUNT_PURPOSE_BANK_CASH` of `ACCOUNT_PURPOSE_` is `bank_cash`; unspecified is empty.
pub(crate) fn word(member: &str, prefix: &str) -> String {
    let word = member.strip_prefix(prefix).unwrap_or(member);
    if word == "UNSPECIFIED" {
        return String::new();
    }
    word.to_ascii_lowercase()
}

/// Minor units; nothing is zero.
pub(crate) fn minor(money: Option<&Money>) -> i64 {
    money.map_or(0, |money| money.minor)
}

/// The currency; nothing is empty.
pub(crate) fn currency(money: Option<&Money>) -> String {
    money.map_or_else(String::new, |money| money.currency.clone())
}

/// A moment; zero is none.
pub(crate) fn moment(at_us: i64) -> Option<Timestamp> {
    (at_us != 0).then(|| Timestamp::from_micros(at_us))
}

/// Counts and heights begin at zero.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Versions and sizes are never below zero.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use paymesh_proto::account::v1::AccountPurpose;

    use super::*;

    #[test]
    fn words_are_those_of_the_contract_without_their_prefix() {
        let word_of = |purpose: AccountPurpose| word(purpose.as_str_name(), "ACCOUNT_PURPOSE_");
        assert_eq!(word_of(AccountPurpose::BankCash), "bank_cash");
        assert_eq!(word_of(AccountPurpose::Unspecified), "");
    }
}
