//! Entries of one account. The ledger alone has them; what it says is checked: each running balance follows from the one before.

use paymesh_proto::account::v1::{Balance, Entry, EntrySide, TransferKind};

use super::{App, File, Halt, asked};
use crate::{
    clients::{Asked, Basis},
    domain::{Cell, Columns, Line, Span, kind},
    wire::{currency, minor, moment, signed, word},
};

const COLUMNS: Columns = &[
    "sequence",
    "booked_at",
    "effective_at",
    "transfer_id",
    "kind",
    "side",
    "code",
    "currency",
    "amount_minor",
    "transaction_id",
    "counter_account_id",
    "booked_after_minor",
    "available_after_minor",
    "batch_height",
];

// === impl App ===

impl App {
    pub(super) async fn account_statement(&self, file: &mut File<'_>) -> Result<(), Halt> {
        let run = file.run();
        let made = run.created_at.plus(std::time::Duration::from_micros(1));
        let asked = Asked {
            tenant: run.tenant,
            account: asked(run, kind::ACCOUNT),
            basis: match asked(run, kind::BASIS).as_str() {
                "effective" => Basis::Effective,
                _ => Basis::Booked,
            },
            span: Span {
                from: run.span.from,
                until: Some(run.span.until.map_or(made, |until| until.min(made))),
            },
            height: self.ledger().height(run.tenant).await?,
        };
        file.begin(COLUMNS)?;
        let (mut token, mut running) = (String::new(), None);
        loop {
            let page = self.ledger().statement(&asked, token).await?;
            let opening = page.opening.as_ref().map_or(0, |sums| sums.booked_minor);
            let before = running.unwrap_or(opening);
            running = Some(followed(before, &page.entries)?);
            file.add(page.entries.into_iter().map(line).collect())
                .await?;
            token = page.page_info.unwrap_or_default().next_token;
            if token.is_empty() {
                return closes(running.unwrap_or(opening), page.closing.as_ref());
            }
        }
    }
}

/// The balance after the entries, each of which says the balance after it.
fn followed(mut running: i64, entries: &[Entry]) -> Result<i64, Halt> {
    for entry in entries {
        let after = entry
            .balance_after
            .as_ref()
            .map_or(0, |sums| sums.booked_minor);
        let step = i128::from(after) - i128::from(running);
        let amount = i128::from(minor(entry.amount.as_ref()));
        let is_posted = matches!(entry.kind(), TransferKind::Single | TransferKind::Post);
        let is_right = if is_posted {
            step.abs() == amount
        } else {
            step == 0
        };
        if !is_right {
            return Err(differs(&format!(
                "entry {} does not follow",
                entry.sequence
            )));
        }
        running = after;
    }
    Ok(running)
}

fn closes(running: i64, closing: Option<&Balance>) -> Result<(), Halt> {
    match closing {
        Some(sums) if sums.booked_minor == running => Ok(()),
        Some(_) | None => Err(differs("the closing balance is not that of the last entry")),
    }
}

fn differs(what: &str) -> Halt {
    Halt::Final(format!("STATEMENT_DIFFERS: {what}"))
}

fn line(entry: Entry) -> Line {
    let after = entry.balance_after.clone().unwrap_or_default();
    let side = match entry.side() {
        EntrySide::Debit => "debit",
        EntrySide::Credit => "credit",
        EntrySide::Unspecified => "",
    };
    vec![
        signed(entry.sequence).into(),
        Cell::moment(moment(entry.booked_at_us)),
        Cell::moment(moment(entry.effective_at_us)),
        entry.transfer_id.clone().into(),
        word(entry.kind().as_str_name(), "TRANSFER_KIND_").into(),
        side.into(),
        word(entry.code().as_str_name(), "TRANSFER_CODE_").into(),
        currency(entry.amount.as_ref()).into(),
        minor(entry.amount.as_ref()).into(),
        entry.transaction_id.into(),
        entry.counter_account_id.into(),
        after.booked_minor.into(),
        after.available_minor.into(),
        signed(entry.batch_height).into(),
    ]
}

#[cfg(test)]
mod tests {
    use paymesh_proto::types::v1::Money;

    use super::*;

    fn entry(kind: TransferKind, amount: i64, after: i64) -> Entry {
        Entry {
            kind: kind.into(),
            amount: Some(Money {
                minor: amount,
                currency: "USD".to_owned(),
            }),
            balance_after: Some(Balance {
                booked_minor: after,
                ..Balance::default()
            }),
            ..Entry::default()
        }
    }

    #[test]
    fn p6_a_running_balance_that_does_not_follow_fails_the_statement() {
        let good = [
            entry(TransferKind::Single, 100, 110),
            entry(TransferKind::Pending, 50, 110),
            entry(TransferKind::Post, 30, 80),
        ];
        assert_eq!(followed(10, &good), Ok(80));
        assert!(followed(11, &good).is_err());
        let pending = [entry(TransferKind::Pending, 50, 60)];
        assert!(
            followed(10, &pending).is_err(),
            "a reservation books nothing"
        );
        let closing = Balance {
            booked_minor: 80,
            ..Balance::default()
        };
        assert_eq!(closes(80, Some(&closing)), Ok(()));
        assert!(closes(81, Some(&closing)).is_err());
        assert!(closes(80, None).is_err());
    }
}
