//! P3: schedules.

use std::time::Duration;

use paymesh_proto::{
    reporting::v1::{self as pb, Cadence, ReportKind, RunState},
    types::v1::Outcome,
};

use crate::world::{DAY_US, TODAY_US, World, reason};

crate::scenario! {
    p3_a_schedule_makes_one_run_for_each_span_with_any_number_of_replicas;
    p3_a_schedule_that_is_changed_or_deleted_runs_accordingly;
    a_schedule_is_made_once_for_its_id;
}

const DAY: Duration = Duration::from_secs(86_400);

impl World {
    async fn schedule(
        &self,
        schedule_id: &str,
        definition_id: &str,
        cadence: Cadence,
    ) -> Result<pb::CreateScheduleResponse, paymesh_mesh::CallError> {
        let request = pb::CreateScheduleRequest {
            schedule_id: schedule_id.to_owned(),
            definition_id: definition_id.to_owned(),
            cadence: cadence.into(),
            minute_of_day: 0,
        };
        self.call(|mut client| async move { client.create_schedule(request).await })
            .await
    }

    async fn spans(&self, definition: &str) -> Vec<(i64, i64)> {
        let runs = self.runs(definition).await;
        let mut spans: Vec<(i64, i64)> = runs
            .into_iter()
            .filter(|run| run.state() == RunState::Completed)
            .map(|run| {
                let range = run.range.unwrap();
                (range.from_at_us, range.until_at_us)
            })
            .collect();
        spans.sort_unstable();
        spans
    }

    async fn comes_to(&self, definition: &str, spans: &[(i64, i64)]) {
        self.harness
            .eventually("the runs that are due are made", async || {
                self.spans(definition).await == spans
            })
            .await;
    }
}

async fn p3_a_schedule_makes_one_run_for_each_span_with_any_number_of_replicas(mut world: World) {
    world.add_replica().await;
    world.add_replica().await;
    let definition = world.defined(ReportKind::Fees, &[]).await;
    let id = world.id("sch");
    let made = world.schedule(&id, &definition, Cadence::Daily).await;
    let made = made.unwrap().schedule.unwrap();
    assert_eq!(made.next_at_us, TODAY_US + DAY_US);
    let mut wanted = Vec::new();
    for day in 0..4 {
        world.advance(DAY);
        wanted.push((TODAY_US + day * DAY_US, TODAY_US + (day + 1) * DAY_US));
        world.comes_to(&definition, &wanted).await;
    }
    // Three days at once are one span.
    world.advance(DAY * 3);
    wanted.push((TODAY_US + 4 * DAY_US, TODAY_US + 7 * DAY_US));
    world.comes_to(&definition, &wanted).await;
    let runs = world.runs(&definition).await;
    assert_eq!(runs.len(), 5, "one run a span: {runs:?}");
    assert!(runs.iter().all(|run| run.schedule_id == id));
}

async fn p3_a_schedule_that_is_changed_or_deleted_runs_accordingly(world: World) {
    let definition = world.defined(ReportKind::Fees, &[]).await;
    let id = world.id("sch");
    world
        .schedule(&id, &definition, Cadence::Hourly)
        .await
        .unwrap();
    let update = async |enabled, expected_version| {
        let request = pb::UpdateScheduleRequest {
            schedule_id: id.clone(),
            cadence: Cadence::Daily.into(),
            minute_of_day: 0,
            enabled,
            expected_version,
        };
        world
            .call(|mut client| async move { client.update_schedule(request).await })
            .await
    };
    let off = update(false, 1).await.unwrap();
    assert_eq!(off.outcome(), Outcome::Applied);
    let off = off.schedule.unwrap();
    assert_eq!((off.version, off.next_at_us), (2, 0));
    assert_eq!(
        update(false, 1).await.unwrap().outcome(),
        Outcome::AlreadyApplied
    );
    assert_eq!(reason(update(true, 1).await), "VERSION_CONFLICT");
    world.advance(DAY * 2);
    let on = update(true, 2).await.unwrap().schedule.unwrap();
    assert_eq!(on.next_at_us, TODAY_US + 3 * DAY_US);
    world.advance(DAY);
    // It was made at noon, hourly: the span begins there.
    let noon = TODAY_US + DAY_US / 2;
    let wanted = [(noon, TODAY_US + 3 * DAY_US)];
    world.comes_to(&definition, &wanted).await;
    let request = pb::DeleteDefinitionRequest {
        definition_id: definition.clone(),
    };
    world
        .call(|mut client| async move { client.delete_definition(request).await })
        .await
        .unwrap();
    let request = pb::GetScheduleRequest { schedule_id: id };
    let gone = world
        .call(|mut client| async move { client.get_schedule(request).await })
        .await;
    assert_eq!(reason(gone), "REPORT_SCHEDULE_NOT_FOUND");
    world.advance(DAY * 5);
    assert_eq!(world.runs(&definition).await.len(), 1, "runs stay");
}

async fn a_schedule_is_made_once_for_its_id(world: World) {
    let definition = world.defined(ReportKind::Fees, &[]).await;
    let id = world.id("sch");
    let first = world.schedule(&id, &definition, Cadence::Weekly).await;
    assert_eq!(first.unwrap().outcome(), Outcome::Applied);
    let again = world.schedule(&id, &definition, Cadence::Weekly).await;
    assert_eq!(again.unwrap().outcome(), Outcome::AlreadyApplied);
    let other = world.schedule(&id, &definition, Cadence::Monthly).await;
    assert_eq!(reason(other), "IDEMPOTENCY_KEY_REUSED");
    let nothing = world.definition_id();
    let lost = world
        .schedule(&world.id("sch"), &nothing, Cadence::Daily)
        .await;
    assert_eq!(reason(lost), "REPORT_DEFINITION_NOT_FOUND");
    let request = pb::CreateScheduleRequest {
        schedule_id: world.id("sch"),
        definition_id: definition,
        cadence: Cadence::Hourly.into(),
        minute_of_day: 60,
    };
    let wrong = world
        .call(|mut client| async move { client.create_schedule(request).await })
        .await;
    assert_eq!(reason(wrong), "REQUEST_INVALID");
}
