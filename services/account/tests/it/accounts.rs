//! Opening, looking at, suspending and closing accounts, and who may.

use paymesh_kernel::{ErrorKind, Fault as _, Principal, Role};
use paymesh_proto::{
    account::v1 as pb,
    types::v1::{Outcome, Owner, OwnerKind, Page},
};

use crate::{
    on_both_engines,
    world::{Code, Purpose, R, World, by_id, owner, single, sums, system},
};

fn opening(owner: Owner, purpose: Purpose) -> pb::OpenAccountRequest {
    pb::OpenAccountRequest {
        owner: Some(owner),
        purpose: purpose.into(),
        currency: "USD".to_owned(),
        ..Default::default()
    }
}

async fn an_account_is_opened_once_and_carries_what_its_purpose_says(world: World) {
    let user = world.user();
    let open = || {
        let request = opening(user.clone(), Purpose::CustomerBalance);
        world.staff(|mut c| async move { c.open_account(request).await })
    };
    let first = open().await.unwrap();
    assert_eq!(first.outcome(), Outcome::Applied);
    let account = first.account.unwrap();
    assert_eq!(account.class(), pb::AccountClass::Liability);
    assert_eq!(account.normal_side(), pb::NormalSide::Credit);
    assert_eq!(account.state(), pb::AccountState::Active);
    assert!(account.bounds.unwrap().debits_within_credits);
    assert_eq!(account.balance.as_ref().unwrap().version, 1);
    let again = open().await.unwrap();
    assert_eq!(again.outcome(), Outcome::AlreadyApplied);
    assert_eq!(again.account.unwrap().id, account.id);
    assert_eq!(world.account(&account.id).await.owner.unwrap(), user);
}

async fn an_id_of_the_caller_is_taken_and_another_account_with_it_is_refused(world: World) {
    let id = world
        .new_id::<paymesh_account::domain::AccountId>()
        .to_string();
    let open = |owner: Owner| {
        let request = pb::OpenAccountRequest {
            account_id: id.clone(),
            ..opening(owner, Purpose::MerchantPending)
        };
        world.staff(|mut c| async move { c.open_account(request).await })
    };
    assert_eq!(
        open(world.merchant()).await.unwrap().account.unwrap().id,
        id
    );
    let error = open(world.merchant()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.reason_text()),
        (ErrorKind::AlreadyExists, "ACCOUNT_ID_TAKEN")
    );
}

async fn what_is_wrong_with_an_opening_is_named(world: World) {
    let good = opening(world.user(), Purpose::CustomerBalance);
    for (request, field) in [
        (
            pb::OpenAccountRequest {
                purpose: 0,
                ..good.clone()
            },
            "purpose",
        ),
        (
            pb::OpenAccountRequest {
                purpose: 99,
                ..good.clone()
            },
            "purpose",
        ),
        (
            pb::OpenAccountRequest {
                currency: "usd".to_owned(),
                ..good.clone()
            },
            "currency",
        ),
        (
            pb::OpenAccountRequest {
                currency: "XAU".to_owned(),
                ..good.clone()
            },
            "currency",
        ),
        (
            pb::OpenAccountRequest {
                owner: None,
                ..good.clone()
            },
            "owner.kind",
        ),
        (
            pb::OpenAccountRequest {
                owner: Some(world.merchant()),
                ..good.clone()
            },
            "owner.kind",
        ),
        (
            pb::OpenAccountRequest {
                owner: Some(owner(OwnerKind::User, "user_x")),
                ..good.clone()
            },
            "owner.id",
        ),
        (
            pb::OpenAccountRequest {
                connector: "stripe".to_owned(),
                ..good.clone()
            },
            "connector",
        ),
        (
            pb::OpenAccountRequest {
                account_id: "acct_1".to_owned(),
                ..good.clone()
            },
            "account_id",
        ),
        (
            pb::OpenAccountRequest {
                bounds: Some(pb::Bounds::default()),
                ..good
            },
            "bounds",
        ),
    ] {
        let error = world
            .staff(|mut c| async move { c.open_account(request).await })
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{field}");
        assert_eq!(error.violations()[0].field, field);
    }
}

fn customer(world: &World, user: &Owner) -> Principal {
    Principal {
        subject: user.id.clone(),
        ..world.harness.person(Role::Customer)
    }
}

async fn a_customer_opens_and_sees_accounts_of_their_own_only(world: World) {
    let (anna, bert) = (world.user(), world.user());
    let principal = customer(&world, &anna);
    let by_anna = ("gateway", &principal);
    let theirs = opening(bert.clone(), Purpose::CustomerBalance);
    let error = world
        .call_as(by_anna, |mut c| async move { c.open_account(theirs).await })
        .await
        .unwrap_err();
    assert_eq!(error.reason_text(), "ACCOUNT_NOT_YOURS");
    let unbounded = pb::OpenAccountRequest {
        bounds: Some(pb::Bounds {
            debits_within_credits: true,
            credits_within_debits: true,
        }),
        ..opening(anna.clone(), Purpose::CustomerBalance)
    };
    let error = world
        .call_as(
            by_anna,
            |mut c| async move { c.open_account(unbounded).await },
        )
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    let own = opening(anna.clone(), Purpose::CustomerBalance);
    let own = world
        .call_as(by_anna, |mut c| async move { c.open_account(own).await })
        .await;
    let own = own.unwrap().account.unwrap();
    let other = world
        .open(bert.clone(), Purpose::CustomerBalance, "USD")
        .await;
    for (account_id, seen) in [(own.id.clone(), true), (other.id, false)] {
        let request = pb::GetAccountRequest { account_id };
        let found = world
            .call_as(by_anna, |mut c| async move { c.get_account(request).await })
            .await;
        match found {
            Ok(_) => assert!(seen),
            Err(error) => assert!(!seen && error.reason_text() == "ACCOUNT_NOT_FOUND"),
        }
    }
    for (owner, wanted) in [
        (None, vec![own.id.clone()]),
        (Some(anna), vec![own.id]),
        (Some(bert), vec![]),
    ] {
        let request = pb::ListAccountsRequest {
            owner,
            ..Default::default()
        };
        let list = world
            .call_as(
                by_anna,
                |mut c| async move { c.list_accounts(request).await },
            )
            .await
            .unwrap();
        let ids: Vec<String> = list.accounts.into_iter().map(|a| a.id).collect();
        assert_eq!(ids, wanted);
    }
}

async fn a_list_is_filtered_and_paged_without_gaps(world: World) {
    let user = world.user();
    for currency in ["USD", "EUR", "GBP", "JPY", "CHF"] {
        world
            .open(user.clone(), Purpose::CustomerBalance, currency)
            .await;
    }
    world
        .open(world.merchant(), Purpose::MerchantPending, "USD")
        .await;
    let mut token = String::new();
    let mut found = Vec::new();
    loop {
        let request = pb::ListAccountsRequest {
            owner: Some(user.clone()),
            page: Some(Page { size: 2, token }),
            ..Default::default()
        };
        let list = world
            .staff(|mut c| async move { c.list_accounts(request).await })
            .await
            .unwrap();
        assert!(list.accounts.len() <= 2);
        found.extend(list.accounts.into_iter().map(|a| a.currency));
        token = list.page_info.unwrap().next_token;
        if token.is_empty() {
            break;
        }
    }
    found.sort();
    assert_eq!(found, ["CHF", "EUR", "GBP", "JPY", "USD"]);
    let request = pb::ListAccountsRequest {
        purpose: Purpose::MerchantPending.into(),
        state: pb::AccountState::Active.into(),
        currency: "USD".to_owned(),
        ..Default::default()
    };
    let list = world
        .staff(|mut c| async move { c.list_accounts(request).await })
        .await
        .unwrap();
    assert_eq!(list.accounts.len(), 1);
}

async fn a_suspended_account_takes_credits_only_until_it_is_resumed(world: World) {
    let (anna, bert) = (world.funded(100).await, world.funded(100).await);
    let suspend = |reason: &str| {
        let request = pb::SuspendAccountRequest {
            account_id: anna.id.clone(),
            reason: reason.to_owned(),
        };
        world.staff(|mut c| async move { c.suspend_account(request).await })
    };
    assert_eq!(
        suspend(" ").await.unwrap_err().violations()[0].field,
        "reason"
    );
    let suspended = suspend("looked odd").await.unwrap();
    assert_eq!(suspended.outcome(), Outcome::Applied);
    assert_eq!(suspended.account.unwrap().state_reason, "looked odd");
    assert_eq!(
        suspend("again").await.unwrap().outcome(),
        Outcome::AlreadyApplied
    );
    let pay = |from: &str, to: &str| single(world.xfer(), by_id(from), by_id(to), 10);
    assert_eq!(
        world.one(pay(&anna.id, &bert.id)).await.code(),
        R::DebitAccountSuspended
    );
    assert_eq!(world.one(pay(&bert.id, &anna.id)).await.code(), R::Applied);
    let request = pb::ResumeAccountRequest {
        account_id: anna.id.clone(),
        reason: "all good".to_owned(),
    };
    let resumed = world
        .staff(|mut c| async move { c.resume_account(request).await })
        .await
        .unwrap();
    assert_eq!(resumed.account.unwrap().state(), pb::AccountState::Active);
    assert_eq!(world.one(pay(&anna.id, &bert.id)).await.code(), R::Applied);
    let clearing = world
        .one(single(
            world.xfer(),
            system(Purpose::BankCash),
            system(Purpose::Clearing),
            1,
        ))
        .await;
    let request = pb::SuspendAccountRequest {
        account_id: clearing.credited_account_id,
        reason: "no".to_owned(),
    };
    let error = world
        .staff(|mut c| async move { c.suspend_account(request).await })
        .await
        .unwrap_err();
    assert_eq!(error.reason_text(), "ACCOUNT_OF_PLATFORM");
}

async fn only_an_empty_account_is_closed_and_what_comes_late_goes_to_suspense(world: World) {
    let anna = world.funded(25).await;
    let close = || {
        let request = pb::CloseAccountRequest {
            account_id: anna.id.clone(),
            reason: "left".to_owned(),
        };
        world.staff(|mut c| async move { c.close_account(request).await })
    };
    assert_eq!(
        close().await.unwrap_err().reason_text(),
        "ACCOUNT_NOT_EMPTY"
    );
    let out = single(world.xfer(), by_id(&anna.id), system(Purpose::BankCash), 25);
    assert_eq!(world.one(out).await.code(), R::Applied);
    assert_eq!(
        close().await.unwrap().account.unwrap().state(),
        pb::AccountState::Closed
    );
    assert_eq!(close().await.unwrap().outcome(), Outcome::AlreadyApplied);
    let late = pb::Transfer {
        code: Code::PayoutReturn.into(),
        ..single(world.xfer(), system(Purpose::BankCash), by_id(&anna.id), 7)
    };
    assert_eq!(world.one(late.clone()).await.code(), R::CreditAccountClosed);
    let redirected = pb::Transfer {
        closed_credit: pb::ClosedCreditPolicy::Suspense.into(),
        ..late
    };
    let result = world.one(redirected.clone()).await;
    assert_eq!(result.code(), R::Applied);
    let suspense = world.account(&result.credited_account_id).await;
    assert_eq!(suspense.purpose(), Purpose::Suspense);
    assert_eq!(sums(&suspense.balance.unwrap()), [0, 0, 0, 7]);
    assert!(world.one(redirected).await.already_applied);
    let request = pb::ResumeAccountRequest {
        account_id: anna.id.clone(),
        reason: "back".to_owned(),
    };
    let error = world
        .staff(|mut c| async move { c.resume_account(request).await })
        .await
        .unwrap_err();
    assert_eq!(error.reason_text(), "ACCOUNT_CLOSED");
}

async fn who_may_not_call_is_refused_and_another_tenants_accounts_are_not_there(world: World) {
    let anna = world.funded(5).await;
    let customer = world.harness.person(Role::Customer);
    let request = pb::SuspendAccountRequest {
        account_id: anna.id.clone(),
        reason: "x".to_owned(),
    };
    let refused = world
        .call_as(("gateway", &customer), |mut c| async move {
            c.suspend_account(request).await
        })
        .await;
    assert_eq!(refused.unwrap_err().reason_text(), "PERMISSION_MISSING");
    let finance = world.harness.person(Role::Finance);
    let posting = world.call_as(("gateway", &finance), |mut c| async move {
        c.post_transfers(pb::PostTransfersRequest::default()).await
    });
    assert_eq!(
        posting.await.unwrap_err().kind(),
        ErrorKind::PermissionDenied
    );
    let stranger = Principal {
        tenant: world.new_id(),
        ..finance
    };
    let request = pb::GetAccountRequest {
        account_id: anna.id,
    };
    let hidden = world
        .call_as(("gateway", &stranger), |mut c| async move {
            c.get_account(request).await
        })
        .await;
    assert_eq!(hidden.unwrap_err().reason_text(), "ACCOUNT_NOT_FOUND");
}

on_both_engines!(
    an_account_is_opened_once_and_carries_what_its_purpose_says,
    an_id_of_the_caller_is_taken_and_another_account_with_it_is_refused,
    what_is_wrong_with_an_opening_is_named,
    a_customer_opens_and_sees_accounts_of_their_own_only,
    a_list_is_filtered_and_paged_without_gaps,
    a_suspended_account_takes_credits_only_until_it_is_resumed,
    only_an_empty_account_is_closed_and_what_comes_late_goes_to_suspense,
    who_may_not_call_is_refused_and_another_tenants_accounts_are_not_there,
);
