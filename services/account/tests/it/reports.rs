//! Trial balances and closed periods.

use paymesh_kernel::{Fault as _, Role};
use paymesh_proto::{
    account::v1::{self as pb, BalanceBasis},
    types::v1::{Outcome, Page},
};

use crate::{
    on_both_engines,
    world::{Purpose, R, World, by_id, pending, single, system},
};

async fn trial(world: &World, basis: BalanceBasis, at_us: i64) -> pb::TrialBalanceResponse {
    let request = pb::TrialBalanceRequest {
        currency: "USD".to_owned(),
        basis: basis.into(),
        at_us,
    };
    world
        .staff(|mut c| async move { c.trial_balance(request).await })
        .await
        .unwrap()
}

fn credited(trial: &pb::TrialBalanceResponse, purpose: Purpose) -> i64 {
    let line = trial.lines.iter().find(|line| line.purpose() == purpose);
    line.map_or(-1, |line| line.credits_posted_minor)
}

async fn a1_debits_equal_credits_now_and_at_every_moment(world: World) {
    let anna = world.funded(100).await;
    world.funded(11).await;
    let hold = pending(single(
        world.xfer(),
        by_id(&anna.id),
        system(Purpose::Clearing),
        30,
    ));
    world.advance(50);
    let held_at = world.one(hold).await.booked_at_us;
    world.advance(50);
    let backdated = pb::Transfer {
        effective_at_us: held_at - 1,
        ..single(
            world.xfer(),
            by_id(&anna.id),
            system(Purpose::FeeRevenue),
            7,
        )
    };
    assert_eq!(world.one(backdated).await.code(), R::Applied);
    let now = trial(&world, BalanceBasis::Booked, 0).await;
    assert_eq!(credited(&now, Purpose::CustomerBalance), 111);
    assert_eq!(credited(&now, Purpose::FeeRevenue), 7);
    let customers = now
        .lines
        .iter()
        .find(|l| l.purpose() == Purpose::CustomerBalance)
        .unwrap();
    assert_eq!(
        (customers.account_count, customers.debits_pending_minor),
        (2, 30)
    );
    assert_eq!(now.batch_height, world.head().await.height);
    let booked = trial(&world, BalanceBasis::Booked, held_at).await;
    assert_eq!(credited(&booked, Purpose::FeeRevenue), -1);
    let effective = trial(&world, BalanceBasis::Effective, held_at).await;
    assert_eq!(credited(&effective, Purpose::FeeRevenue), 7);
    let later = trial(&world, BalanceBasis::Effective, 0).await;
    for trial in [now, booked, effective, later] {
        assert_eq!(trial.totals.len(), 1);
        assert!(trial.totals[0].balanced, "{trial:?}");
    }
}

async fn nothing_becomes_effective_in_a_closed_period(world: World) {
    let finance = world.harness.person(Role::Finance);
    let close = |currency: &str, until_at_us: i64| {
        let request = pb::ClosePeriodRequest {
            currency: currency.to_owned(),
            until_at_us,
        };
        world.call_as(("gateway", &finance), |mut c| async move {
            c.close_period(request).await
        })
    };
    let anna = world.funded(100).await;
    world.advance(3_600);
    let until = world.now().as_micros() - 1_000_000;
    assert_eq!(
        close("", 0).await.unwrap_err().violations()[0].field,
        "until_at_us"
    );
    assert_eq!(
        close("", until * 2).await.unwrap_err().reason_text(),
        "PERIOD_NOT_OVER"
    );
    let closed = close("USD", until).await.unwrap();
    assert_eq!(closed.outcome(), Outcome::Applied);
    let period = closed.period.unwrap();
    assert_eq!(
        (period.batch_height, period.closed_by.as_str()),
        (1, finance.subject.as_str())
    );
    assert_eq!(
        close("USD", until).await.unwrap().outcome(),
        Outcome::AlreadyApplied
    );
    assert_eq!(
        close("USD", until - 1).await.unwrap_err().reason_text(),
        "PERIOD_CLOSED_FURTHER"
    );
    let take = |effective_at_us| pb::Transfer {
        effective_at_us,
        ..single(
            world.xfer(),
            by_id(&anna.id),
            system(Purpose::FeeRevenue),
            1,
        )
    };
    assert_eq!(world.one(take(until - 1)).await.code(), R::PeriodClosed);
    assert_eq!(world.one(take(until)).await.code(), R::Applied);
    assert_eq!(world.one(take(0)).await.code(), R::Applied);
    assert_eq!(
        close("", until + 5).await.unwrap().outcome(),
        Outcome::Applied
    );
    assert_eq!(world.one(take(until + 4)).await.code(), R::PeriodClosed);
    let request = pb::ListPeriodsRequest {
        page: Some(Page {
            size: 1,
            token: String::new(),
        }),
    };
    let first = world
        .staff(|mut c| async move { c.list_periods(request).await })
        .await
        .unwrap();
    assert_eq!(first.periods[0].until_at_us, until + 5);
    let token = first.page_info.unwrap().next_token;
    let request = pb::ListPeriodsRequest {
        page: Some(Page { size: 5, token }),
    };
    let rest = world
        .staff(|mut c| async move { c.list_periods(request).await })
        .await
        .unwrap();
    assert_eq!(rest.periods, [period]);
    assert!(rest.page_info.unwrap().next_token.is_empty());
}

on_both_engines!(
    a1_debits_equal_credits_now_and_at_every_moment,
    nothing_becomes_effective_in_a_closed_period,
);
