//! P1, P2, P8: definitions.

use paymesh_kernel::{ErrorKind, Fault as _, Role};
use paymesh_proto::{
    Fact as _,
    reporting::v1::{self as pb, ReportDefinitionUpdated, ReportKind},
    types::v1::{Outcome, Page},
};

use crate::world::{World, reason};

crate::scenario! {
    p1_a_definition_has_versions_and_a_repeat_changes_nothing;
    p1_names_are_unique_in_a_tenant_and_free_again_after_a_deletion;
    p2_parameters_are_checked_and_every_wrong_one_is_named;
    p8_nobody_sees_another_tenant_and_auditors_change_nothing;
    definitions_are_listed_by_name_in_pages;
}

async fn p1_a_definition_has_versions_and_a_repeat_changes_nothing(world: World) {
    let mut facts = world.harness.platform.bus.tail("reporting").await.unwrap();
    let request = world.definition(ReportKind::Fees, &[]);
    let made = world.put(&request).await.unwrap();
    assert_eq!(made.outcome(), Outcome::Applied);
    let again = world.put(&request).await.unwrap();
    assert_eq!(again.outcome(), Outcome::AlreadyApplied);
    assert_eq!(again.definition, made.definition);
    let renamed = pb::PutDefinitionRequest {
        name: "fees".to_owned(),
        expected_version: 1,
        ..request.clone()
    };
    let changed = world.put(&renamed).await.unwrap();
    assert_eq!(changed.definition.unwrap().version, 2);
    // The repeat of the change, with the version that was read before it.
    let again = world.put(&renamed).await.unwrap();
    assert_eq!(again.outcome(), Outcome::AlreadyApplied);
    let late = pb::PutDefinitionRequest {
        name: "costs".to_owned(),
        ..renamed
    };
    assert_eq!(reason(world.put(&late).await), "VERSION_CONFLICT");
    let mut sequences = Vec::new();
    while sequences.len() < 2 {
        let next = tokio::time::timeout(std::time::Duration::from_secs(10), facts.next());
        let Some(paymesh_bus::Tailed::Event(event)) = next.await.expect("a fact in time") else {
            panic!("no facts are left out");
        };
        assert_eq!(event.kind, ReportDefinitionUpdated::TYPE);
        sequences.push(event.sequence);
    }
    assert_eq!(sequences, [1, 2]);
}

async fn p1_names_are_unique_in_a_tenant_and_free_again_after_a_deletion(world: World) {
    let first = pb::PutDefinitionRequest {
        name: "daily".to_owned(),
        ..world.definition(ReportKind::Fees, &[])
    };
    world.put(&first).await.unwrap();
    let second = pb::PutDefinitionRequest {
        name: "daily".to_owned(),
        ..world.definition(ReportKind::Settlement, &[])
    };
    assert_eq!(reason(world.put(&second).await), "REPORT_NAME_EXISTS");
    let delete = pb::DeleteDefinitionRequest {
        definition_id: first.definition_id.clone(),
    };
    let gone = async || {
        let delete = delete.clone();
        world
            .call(|mut client| async move { client.delete_definition(delete).await })
            .await
    };
    assert_eq!(gone().await.unwrap().outcome(), Outcome::Applied);
    assert_eq!(gone().await.unwrap().outcome(), Outcome::AlreadyApplied);
    world.put(&second).await.unwrap();
    let run = world
        .start_run(&world.run_id(), &first.definition_id, None)
        .await;
    assert_eq!(reason(run), "REPORT_DEFINITION_NOT_FOUND");
    // It may come back under another name, and its versions go on.
    let back = pb::PutDefinitionRequest {
        name: "hourly".to_owned(),
        ..first
    };
    assert_eq!(
        world.put(&back).await.unwrap().definition.unwrap().version,
        3
    );
}

async fn p2_parameters_are_checked_and_every_wrong_one_is_named(world: World) {
    let request = pb::PutDefinitionRequest {
        name: " ".to_owned(),
        ..world.definition(
            ReportKind::AccountStatement,
            &[("basis", "yesterday"), ("color", "red")],
        )
    };
    let error = world.put(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let violations = error.violations();
    let fields: Vec<&str> = violations.iter().map(|wrong| &*wrong.field).collect();
    assert_eq!(
        fields,
        [
            "name",
            "parameters.basis",
            "parameters.color",
            "parameters.account_id"
        ]
    );
}

async fn p8_nobody_sees_another_tenant_and_auditors_change_nothing(world: World) {
    let request = world.definition(ReportKind::Fees, &[]);
    world.put(&request).await.unwrap();
    let stranger = world.stranger();
    let get = pb::GetDefinitionRequest {
        definition_id: request.definition_id.clone(),
    };
    let seen = world
        .call_as(&stranger, |mut client| async move {
            client.get_definition(get).await
        })
        .await;
    assert_eq!(reason(seen), "REPORT_DEFINITION_NOT_FOUND");
    let theirs = request.clone();
    let put = world
        .call_as(&stranger, |mut client| async move {
            client.put_definition(theirs).await
        })
        .await;
    assert_eq!(reason(put), "REPORT_DEFINITION_EXISTS");
    let auditor = world.harness.person(Role::Auditor);
    let put = world
        .call_as(&auditor, |mut client| async move {
            client.put_definition(request).await
        })
        .await;
    assert_eq!(reason(put), "PERMISSION_MISSING");
}

async fn definitions_are_listed_by_name_in_pages(world: World) {
    for name in ["c", "a", "b"] {
        let request = pb::PutDefinitionRequest {
            name: name.to_owned(),
            ..world.definition(ReportKind::Fees, &[])
        };
        world.put(&request).await.unwrap();
    }
    let list = async |token: String| {
        let request = pb::ListDefinitionsRequest {
            page: Some(Page { size: 2, token }),
            ..pb::ListDefinitionsRequest::default()
        };
        let answer = world
            .call(|mut client| async move { client.list_definitions(request).await })
            .await?;
        let names: Vec<String> = answer.definitions.into_iter().map(|d| d.name).collect();
        Ok((names, answer.page_info.unwrap().next_token))
    };
    let (names, token) = list(String::new()).await.unwrap();
    assert_eq!(names, ["a", "b"]);
    let (names, token) = list(token).await.unwrap();
    assert_eq!(names, ["c"]);
    assert_eq!(token, "");
    assert_eq!(reason(list("?".to_owned()).await), "REQUEST_INVALID");
}
