//! Terminals.

use paymesh_kernel::{Principal, Role};
use paymesh_mesh::CallError;
use paymesh_proto::{
    merchant::v1::{
        AddTerminalRequest, AddTerminalResponse, GetTerminalRequest, ListTerminalsRequest,
        Terminal, TerminalState, UpdateTerminalRequest,
    },
    types::v1::{Outcome, Page},
};

use crate::world::{World, reason, worlds};

async fn add(
    world: &World,
    principal: &Principal,
    request: AddTerminalRequest,
) -> Result<AddTerminalResponse, CallError> {
    world
        .call(principal, |mut client| async move {
            client.add_terminal(request).await
        })
        .await
}

async fn set(
    world: &World,
    principal: &Principal,
    id: &str,
    state: TerminalState,
) -> Result<(Outcome, Terminal), CallError> {
    let request = UpdateTerminalRequest {
        terminal_id: id.to_owned(),
        state: state.into(),
    };
    let call = world.call(principal, |mut client| async move {
        client.update_terminal(request).await
    });
    let answer = call.await?;
    Ok((answer.outcome(), answer.terminal.unwrap()))
}

fn request(merchant: &str, number: u128) -> AddTerminalRequest {
    AddTerminalRequest {
        terminal_id: paymesh_kernel::id::encode("term", uuid::Uuid::from_u128(number)),
        merchant_id: merchant.to_owned(),
        name: format!("Till {number}"),
        country: String::new(),
    }
}

#[tokio::test]
async fn a_terminal_is_added_once_and_its_facts_follow_those_of_the_merchant() {
    for world in worlds().await {
        let mut facts = world.facts().await;
        let merchant = world.merchant().await;
        let owner = world.owner(&merchant);
        let added = add(&world, &owner, request(&merchant.id, 1)).await.unwrap();
        let terminal = added.terminal.clone().unwrap();
        assert_eq!(
            (added.outcome(), terminal.state(), terminal.country.as_str()),
            (Outcome::Applied, TerminalState::Active, "DE")
        );
        let (outcome, disabled) = set(&world, &owner, &terminal.id, TerminalState::Disabled)
            .await
            .unwrap();
        assert_eq!(
            (outcome, disabled.state()),
            (Outcome::Applied, TerminalState::Disabled)
        );
        let (outcome, _) = set(&world, &owner, &terminal.id, TerminalState::Disabled)
            .await
            .unwrap();
        assert_eq!(outcome, Outcome::AlreadyApplied);
        let again = add(&world, &owner, request(&merchant.id, 1)).await.unwrap();
        assert_eq!(
            (again.outcome(), again.terminal),
            (Outcome::AlreadyApplied, Some(disabled))
        );
        let mut other = request(&merchant.id, 1);
        other.name = "Another".to_owned();
        assert_eq!(
            reason(add(&world, &owner, other).await),
            "IDEMPOTENCY_KEY_REUSED"
        );
        let told: Vec<(String, i64)> = facts
            .about(&merchant.id, 3)
            .await
            .into_iter()
            .map(|(kind, n, _)| (kind, n))
            .collect();
        let wanted = [
            ("merchant.created.v1", 1),
            ("terminal.added.v1", 2),
            ("terminal.updated.v1", 3),
        ];
        assert_eq!(told, wanted.map(|(kind, n)| (kind.to_owned(), n)));
    }
}

#[tokio::test]
async fn y4_terminals_of_others_do_not_exist() {
    for world in worlds().await {
        let (merchant, other) = (world.merchant().await, world.merchant().await);
        let (owner, stranger) = (world.owner(&merchant), world.owner(&other));
        let terminal = add(&world, &owner, request(&merchant.id, 1))
            .await
            .unwrap()
            .terminal
            .unwrap();
        assert_eq!(
            reason(set(&world, &stranger, &terminal.id, TerminalState::Disabled).await),
            "TERMINAL_NOT_FOUND"
        );
        assert_eq!(
            reason(add(&world, &stranger, request(&merchant.id, 2)).await),
            "MERCHANT_NOT_FOUND"
        );
        let get = GetTerminalRequest {
            terminal_id: terminal.id.clone(),
        };
        let customer = world.harness.person(Role::Customer);
        for (caller, principal, is_there) in [
            ("gateway", &owner, true),
            ("gateway", &stranger, false),
            ("gateway", &customer, false),
            ("gateway", &world.admin(), true),
        ] {
            let get = get.clone();
            let found = world
                .call_from(caller, principal, |mut client| async move {
                    client.get_terminal(get).await
                })
                .await;
            assert_eq!(found.is_ok(), is_there, "{principal:?}");
        }
    }
}

#[tokio::test]
async fn a_list_goes_on_where_it_stopped_and_filters_by_state() {
    for world in worlds().await {
        let merchant = world.merchant().await;
        let admin = world.admin();
        for number in 1..=5 {
            add(&world, &admin, request(&merchant.id, number))
                .await
                .unwrap();
        }
        let second = paymesh_kernel::id::encode("term", uuid::Uuid::from_u128(2));
        set(&world, &admin, &second, TerminalState::Disabled)
            .await
            .unwrap();
        let list = async |state: TerminalState| {
            let (mut token, mut names) = (String::new(), Vec::new());
            loop {
                let request = ListTerminalsRequest {
                    merchant_id: merchant.id.clone(),
                    state: state.into(),
                    page: Some(Page { size: 2, token }),
                };
                let call = world.call(&admin, |mut client| async move {
                    client.list_terminals(request).await
                });
                let page = call.await.unwrap();
                names.extend(page.terminals.into_iter().map(|terminal| terminal.name));
                token = page.page_info.unwrap().next_token;
                if token.is_empty() {
                    return names.join(",");
                }
            }
        };
        assert_eq!(
            list(TerminalState::Unspecified).await,
            "Till 1,Till 2,Till 3,Till 4,Till 5"
        );
        assert_eq!(
            list(TerminalState::Active).await,
            "Till 1,Till 3,Till 4,Till 5"
        );
        assert_eq!(list(TerminalState::Disabled).await, "Till 2");
    }
}
