//! The bank's lines: each is what it is said to be, or waits in suspense (P4, I4, I5).

use paymesh_kernel::{ChangeSet, id::TenantId};

use super::signed_leg;
use crate::{
    app::App,
    clients::ledger::{Account, Code, Leg, Verdict},
    domain::{
        payout::{Payout, Rejection, Told, Word},
        statement::{Line, LineKind, Statement},
    },
    error::Error,
    store,
};

/// Whose a line of the bank's statement is.
#[derive(Clone, Copy)]
enum Claim<'a> {
    /// Tells of this payout, and no other line does.
    Own(&'a Payout),
    /// Of no payout, or of one of which it cannot be true.
    Nobody,
    /// It is too early to say.
    Early,
}

/// A line of the bank and what it means in the ledger.
#[derive(Clone, Debug)]
struct Booking {
    line: Line,
    legs: Vec<Leg>,
    is_suspended: bool,
}

/// What came of booking lines.
#[derive(Debug)]
struct Booked {
    done: Vec<Booking>,
    /// What the ledger said of a line that it does not even take into suspense.
    refused: Option<Verdict>,
}

// === impl App ===

impl App {
    /// The bank's lines. Says how many have to wait for something else.
    ///
    /// A line takes its payout before anything is booked, and the transfers are the payout's: of all lines about a payout one is
    /// booked as it, whoever imports them and when.
    pub(super) async fn book_bank(
        &self,
        statement: &Statement,
        lines: Vec<Line>,
    ) -> Result<usize, Error> {
        let tenant = statement.tenant;
        let named = lines.iter().filter_map(|line| line.read.payout());
        let payouts = store::payouts::find_all(self.database(), named).await?;
        let mut waiting = 0_usize;
        let mut bookings = Vec::new();
        for line in lines {
            let payout = line
                .read
                .payout()
                .and_then(|id| payouts.get(&id))
                .filter(|payout| payout.tenant == tenant);
            let claim = match self.claim(&line, payout).await? {
                // Nobody waits for ever for what does not happen.
                Claim::Early if self.is_last_try(statement) => Claim::Nobody,
                claim @ (Claim::Early | Claim::Own(_) | Claim::Nobody) => claim,
            };
            if matches!(claim, Claim::Early) {
                waiting = waiting.saturating_add(1);
                continue;
            }
            let (legs, is_suspended) = self.legs_of(&line, claim).await?;
            bookings.push(Booking {
                line,
                legs,
                is_suspended,
            });
        }
        let booked = self.post_or_suspend(tenant, bookings).await?;
        let mut changes = ChangeSet::new();
        for booking in &booked.done {
            let line = Line {
                is_booked: true,
                is_suspended: booking.is_suspended,
                version: booking.line.version.saturating_add(1),
                ..booking.line.clone()
            };
            store::statements::update_line(&mut changes, &line);
        }
        self.commit(changes).await?;
        match booked.refused {
            Some(verdict) => Err(Error::Refused(format!("{verdict:?}"))),
            None => Ok(waiting),
        }
    }

    /// Books each line by itself. What the ledger refuses where the line belongs, such as what came back for an account that is closed,
    /// waits in suspense, and the reconciliation shows it; so one line keeps no other from its place.
    async fn post_or_suspend(
        &self,
        tenant: TenantId,
        bookings: Vec<Booking>,
    ) -> Result<Booked, Error> {
        let (moving, mut done): (Vec<Booking>, Vec<Booking>) = bookings
            .into_iter()
            .partition(|booking| !booking.line.read.amount.is_zero());
        let groups: Vec<Vec<Leg>> = moving.iter().map(|of| of.legs.clone()).collect();
        let verdicts = if groups.is_empty() {
            Vec::new()
        } else {
            self.parts.ledger.post(tenant, &groups).await?
        };
        let mut refused = None;
        for (booking, verdict) in moving.into_iter().zip(verdicts) {
            let ledger = &self.parts.ledger;
            let verdict = match verdict {
                Verdict::PeriodClosed => ledger.post_one(tenant, booking.legs.clone()).await?,
                Verdict::Booked | Verdict::NotCovered | Verdict::Refused(_) => verdict,
            };
            if verdict == Verdict::Booked {
                done.push(booking);
                continue;
            }
            tracing::error!(line = %booking.line.id, ?verdict, "the ledger does not take a line of the bank where it belongs; it waits in suspense, and the reconciliation shows it");
            let legs = in_suspense(&booking);
            match ledger.post_one(tenant, legs.clone()).await? {
                Verdict::Booked => done.push(Booking {
                    legs,
                    is_suspended: true,
                    ..booking
                }),
                verdict @ (Verdict::PeriodClosed | Verdict::NotCovered | Verdict::Refused(_)) => {
                    refused = Some(verdict);
                }
            }
        }
        Ok(Booked { done, refused })
    }

    /// Tells the payout what a line says of it, which it believes of one line alone.
    async fn claim<'a>(&self, line: &Line, payout: Option<&'a Payout>) -> Result<Claim<'a>, Error> {
        let (Some(payout), stated) = (payout, line.read.amount) else {
            return Ok(Claim::Nobody);
        };
        let told = |amount| Told {
            line: line.id,
            amount,
        };
        let word = match (line.read.kind, stated.checked_neg()) {
            (LineKind::Payout, Ok(left)) => Word::Seen(told(left)),
            (LineKind::PayoutReturn, _) => Word::CameBack(told(stated)),
            (
                LineKind::Payout
                | LineKind::Capture
                | LineKind::Refund
                | LineKind::Chargeback
                | LineKind::Fee
                | LineKind::Transfer
                | LineKind::Other,
                _,
            ) => return Ok(Claim::Nobody),
        };
        match self.tell(payout.id, word).await? {
            Ok(_) | Err(Rejection::Before) => Ok(Claim::Own(payout)),
            Err(Rejection::Early) => Ok(Claim::Early),
            Err(rejection @ (Rejection::Twice | Rejection::Contradiction)) => {
                tracing::error!(payout = %payout.id, line = %line.id, ?rejection, "the bank's statement has what cannot be true of a payout; it waits in suspense, and the reconciliation shows it");
                Ok(Claim::Nobody)
            }
        }
    }

    /// What a line of the bank means in the ledger, and whether nobody knows what it is.
    async fn legs_of(&self, line: &Line, claim: Claim<'_>) -> Result<(Vec<Leg>, bool), Error> {
        let cash = Account::BankCash;
        let legs = match (line.read.kind, claim) {
            (LineKind::Transfer, _) => {
                let settlement = &line.read.reference;
                let connector =
                    store::statements::connector_of(self.database(), line.tenant, settlement)
                        .await?;
                let Some(connector) = connector else {
                    return Ok((suspended(line), true));
                };
                let receivable = Account::Receivable(connector);
                vec![signed_leg(
                    line,
                    line.transfers.nth(0),
                    (cash, receivable, Code::ConnectorSettlement),
                )]
            }
            (LineKind::Payout, Claim::Own(payout)) => {
                vec![signed_leg(
                    line,
                    payout.confirmation(),
                    (cash, Account::InTransit, Code::Confirmation),
                )]
            }
            (LineKind::PayoutReturn, Claim::Own(payout)) => {
                let owner = Account::Id(payout.account);
                let transit = Account::InTransit;
                vec![
                    signed_leg(line, payout.arrival(), (cash, transit, Code::Return)),
                    signed_leg(
                        line,
                        payout.credit(),
                        (Account::InTransit, owner, Code::Return),
                    ),
                ]
            }
            (
                LineKind::Payout
                | LineKind::PayoutReturn
                | LineKind::Capture
                | LineKind::Refund
                | LineKind::Chargeback
                | LineKind::Fee
                | LineKind::Other,
                _,
            ) => return Ok((suspended(line), true)),
        };
        Ok((legs, false))
    }
}

// === free functions ===

/// What nobody knows of waits in suspense.
fn suspended(line: &Line) -> Vec<Leg> {
    let id = line.transfers.nth(0);
    let legs = (
        Account::BankCash,
        Account::Suspense,
        Code::ConnectorSettlement,
    );
    vec![signed_leg(line, id, legs)]
}

/// The same line in suspense, under the same ids: of both the ledger books one, whatever is interrupted.
fn in_suspense(booking: &Booking) -> Vec<Leg> {
    let (line, legs) = (&booking.line, &booking.legs);
    if line.read.kind != LineKind::PayoutReturn || booking.is_suspended {
        return suspended(line);
    }
    // The money is at our bank and left what is under way; only its owner cannot take it.
    let away_from_owner = |leg: &Leg| Leg {
        credit: if matches!(leg.credit, Account::Id(_)) {
            Account::Suspense
        } else {
            leg.credit.clone()
        },
        ..leg.clone()
    };
    legs.iter().map(away_from_owner).collect()
}
