//! The page for people.

use std::{collections::BTreeMap, fmt::Write as _};

use paymesh_money::Currency;

use super::{Summary, as_f64};
use crate::demo::check::Verdict;

/// Width of a whole bar, in characters.
const BAR_WIDTH: f64 = 40.0;
/// Currencies that have a column of their own; the rest is named beside.
const COLUMNS: [&str; 4] = ["EUR", "GBP", "CHF", "USD"];

/// The summary as a page.
pub(in crate::demo) fn page(summary: &Summary) -> String {
    let mut page = String::new();
    // Writing to a text cannot fail.
    head(&mut page, summary).ok();
    mixed(&mut page, summary).ok();
    money(&mut page, summary).ok();
    fraud(&mut page, summary).ok();
    settlement(&mut page, summary).ok();
    checks(&mut page, summary).ok();
    page
}

fn head(page: &mut String, summary: &Summary) -> std::fmt::Result {
    writeln!(
        page,
        "\n{} card payments of {}: {:.0} a second, half of them answered within {:.0} ms, 99 in 100 within {:.0} ms\n",
        grouped(summary.payments),
        summary.date,
        summary.payments_per_second,
        summary.p50_ms,
        summary.p99_ms
    )?;
    for (name, count) in [
        ("completed", summary.completed),
        ("declined", summary.declined),
        ("failed", summary.failed),
        ("stuck", summary.stuck),
    ] {
        let share = as_f64(count) / as_f64(summary.payments).max(1.0);
        let bar = bar(share);
        writeln!(
            page,
            "  {name:<10} {:>8} {:>6.1} %  {bar}",
            grouped(count),
            share * 100.0
        )?;
    }
    let mut declines: Vec<(&String, &u64)> = summary.declines.iter().collect();
    declines.sort_by(|one, other| other.1.cmp(one.1));
    let declines: Vec<String> = declines
        .into_iter()
        .map(|(reason, count)| format!("{} {}", grouped(*count), reason.replace('_', " ")))
        .collect();
    if !declines.is_empty() {
        writeln!(page, "  declined for: {}", declines.join(", "))?;
    }
    Ok(())
}

fn mixed(page: &mut String, summary: &Summary) -> std::fmt::Result {
    let mixed = &summary.mixed;
    let refunds: Vec<String> = mixed
        .refunds
        .iter()
        .map(|(state, count)| format!("{} {state}", grouped(*count)))
        .collect();
    let disputes = &mixed.disputes;
    writeln!(
        page,
        "\nBeside them\n  {} top-ups, {} transfers between customers ({} declined), {} exchanges at the rates of the ECB",
        grouped(mixed.top_ups),
        grouped(mixed.transfers),
        grouped(mixed.transfers_declined),
        grouped(mixed.exchanges)
    )?;
    writeln!(
        page,
        "  refunds: {}",
        if refunds.is_empty() {
            "none".to_owned()
        } else {
            refunds.join(", ")
        }
    )?;
    writeln!(
        page,
        "  disputes: {} opened, {} won by the merchant, {} lost, {} not answered yet",
        disputes.opened, disputes.won, disputes.lost, disputes.open
    )
}

fn money(page: &mut String, summary: &Summary) -> std::fmt::Result {
    writeln!(page, "\nMoney, what the day added")?;
    write!(page, "  {:<20}", "")?;
    for column in COLUMNS {
        write!(page, "{column:>14}")?;
    }
    writeln!(page, "  other currencies")?;
    for (class, sums) in &summary.money {
        line(page, &class.replace('_', " "), sums)?;
    }
    Ok(())
}

/// A line of a table of money.
fn line(page: &mut String, name: &str, sums: &BTreeMap<String, i64>) -> std::fmt::Result {
    write!(page, "  {name:<20}")?;
    for column in COLUMNS {
        let minor = sums.get(column).copied().unwrap_or(0);
        write!(page, "{:>14}", amount(minor, column))?;
    }
    let others: Vec<String> = sums
        .iter()
        .filter(|(currency, _)| !COLUMNS.contains(&currency.as_str()))
        .map(|(currency, minor)| format!("{} {currency}", amount(*minor, currency)))
        .collect();
    writeln!(page, "  {}", others.join(", "))
}

fn settlement(page: &mut String, summary: &Summary) -> std::fmt::Result {
    let closed = &summary.settlement;
    let payouts: Vec<String> = closed
        .payouts
        .iter()
        .map(|(state, count)| format!("{} {state}", grouped(*count)))
        .collect();
    writeln!(
        page,
        "\nSettlement: {} transactions in {} batches; payouts: {}",
        grouped(closed.transactions),
        closed.batches,
        if payouts.is_empty() {
            "none".to_owned()
        } else {
            payouts.join(", ")
        }
    )?;
    line(page, "net for merchants", &closed.net)?;
    line(page, "paid out", &closed.paid_out)?;
    if closed.lines == 0 {
        return Ok(());
    }
    writeln!(
        page,
        "  {} lines of the provider's report and the bank's statement: {} matched, {} breaks",
        grouped(closed.lines),
        grouped(closed.matched),
        closed.breaks
    )
}

fn fraud(page: &mut String, summary: &Summary) -> std::fmt::Result {
    let (frauds, stopped) = summary.frauds();
    writeln!(
        page,
        "\nFraud: risk stopped {stopped} of {frauds}\n  {:<24}{:>8}{:>10}{:>22}",
        "the handbook's scenario", "frauds", "stopped", "declined otherwise"
    )?;
    for line in &summary.risk {
        writeln!(
            page,
            "  {:<24}{:>8}{:>10}{:>22}",
            line.scenario, line.frauds, line.stopped, line.declined_otherwise
        )?;
    }
    writeln!(
        page,
        "  genuine payments: {} stopped, {} let pass by the reviewer",
        summary.false_alarms.denied, summary.false_alarms.reviewed
    )
}

fn checks(page: &mut String, summary: &Summary) -> std::fmt::Result {
    writeln!(page, "\nChecks")?;
    for check in &summary.checks {
        let word = match check.verdict {
            Verdict::Holds => "ok",
            Verdict::Broken => "BROKEN",
            Verdict::NotSeen => "not seen",
        };
        let detail = if check.detail.is_empty() {
            String::new()
        } else {
            format!(": {}", check.detail)
        };
        writeln!(page, "  {word:<9}{}{detail}", check.name)?;
    }
    for trouble in &summary.troubles {
        writeln!(page, "  trouble  {trouble}")?;
    }
    Ok(())
}

fn bar(share: f64) -> String {
    let mut bar = String::new();
    let mut left = share * BAR_WIDTH;
    while left >= 0.5 {
        bar.push('█');
        left -= 1.0;
    }
    bar
}

/// A count with its thousands apart.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Minor units as people write them; nothing for nothing.
fn amount(minor: i64, currency: &str) -> String {
    if minor == 0 {
        return "-".to_owned();
    }
    let units = currency
        .parse::<Currency>()
        .map_or(2, |currency| u32::from(currency.minor_units()));
    let sign = if minor < 0 { "-" } else { "" };
    let scale = 10_u64.pow(units.min(4));
    let minor = minor.unsigned_abs();
    let whole = grouped(minor / scale);
    if units == 0 {
        return format!("{sign}{whole}");
    }
    let width = usize::try_from(units).unwrap_or(2);
    format!("{sign}{whole}.{:0>width$}", minor % scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_counts_read_as_people_write_them() {
        for (minor, currency, text) in [
            (123_456_789, "EUR", "1,234,567.89"),
            (-5, "USD", "-0.05"),
            (12_345, "JPY", "12,345"),
            (0, "EUR", "-"),
        ] {
            assert_eq!(amount(minor, currency), text);
        }
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(999), "999");
    }
}
