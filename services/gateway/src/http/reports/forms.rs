//! Forms of reports.

use std::collections::BTreeMap;

use paymesh_proto::reporting::v1 as pb;

use super::super::{
    answer::Describes,
    form::{Moment, Word, form, request, words},
    settlement::Span,
};

words! {
    pb::ReportKind = ReportKind "REPORT_KIND_";
    pb::ReportFormat = ReportFormat "REPORT_FORMAT_";
    pb::Cadence = Cadence "CADENCE_";
    pb::RunState = RunState "RUN_STATE_";
}

form! {
    /// A report that can be run.
    ReportDefinition from pb::Definition {
        /// `def_…`
        id: String,
        name: String,
        kind: Word<pb::ReportKind>,
        format: Word<pb::ReportFormat>,
        parameters: BTreeMap<String, String>,
        /// For `expected_version`.
        version: u64,
        updated_by: Option<String>,
        updated_at: Moment = updated_at_us,
    }
}

form! {
    /// When a report is run by itself.
    ReportSchedule from pb::Schedule {
        /// `sch_…`
        id: String,
        definition_id: String,
        cadence: Word<pb::Cadence>,
        /// UTC, 0 to 1439; of an hourly one the minute, 0 to 59.
        minute_of_day: i32,
        enabled: bool,
        /// For `expected_version`.
        version: u64,
        next_at: Option<Moment> = next_at_us,
        updated_at: Moment = updated_at_us,
    }
}

form! {
    /// One run of a report.
    ReportRun from pb::ReportRun {
        /// `run_…`
        id: String,
        definition_id: String,
        /// Left out when a person started it.
        schedule_id: Option<String>,
        state: Word<pb::RunState>,
        kind: Word<pb::ReportKind>,
        format: Word<pb::ReportFormat>,
        range: Option<Span>,
        row_count: u64,
        size_bytes: u64,
        content_sha256: Option<String>,
        /// Why it failed.
        reason: Option<String>,
        created_by: Option<String>,
        created_at: Moment = created_at_us,
        finished_at: Option<Moment> = finished_at_us,
    }
}

request! {
    /// A report as it is to be.
    PutDefinition {
        /// Unique in the tenant.
        name: String,
        kind: Word<pb::ReportKind>,
        /// `csv`, if it is left out.
        format: Option<Word<pb::ReportFormat>>,
        /// By kind, such as `account_id`.
        parameters: Option<BTreeMap<String, String>>,
        /// When the definition has another version, nothing is changed (409).
        expected_version: Option<u64>,
    }
}

request! {
    /// Which definitions.
    DefinitionFilter {
        kind: Option<Word<pb::ReportKind>>,
    }
}

request! {
    /// A schedule to make.
    CreateSchedule {
        definition_id: String,
        cadence: Word<pb::Cadence>,
        minute_of_day: Option<i32>,
    }
}

request! {
    /// A schedule as it is to be.
    UpdateSchedule {
        cadence: Word<pb::Cadence>,
        minute_of_day: i32,
        enabled: bool,
        /// When the schedule has another version, nothing is changed (409).
        expected_version: Option<u64>,
    }
}

request! {
    /// Which schedules or runs.
    ScheduleFilter {
        definition_id: Option<String>,
    }
}

request! {
    /// A run to start.
    StartRun {
        definition_id: String,
        /// By business time.
        from: Moment,
        /// By business time, exclusive.
        until: Moment,
    }
}

request! {
    /// How to read it.
    RunQuery {
        /// Wait at most this long for an end.
        wait_ms: Option<i32>,
    }
}

request! {
    /// Which runs.
    RunFilter {
        definition_id: Option<String>,
        state: Option<Word<pb::RunState>>,
    }
}

/// The file of a report.
pub(crate) struct ReportFile;

impl Describes for ReportFile {
    const MEDIA_TYPE: &'static str = "*/*";
    const ABOUT: &'static str = "The file: CSV, or JSON with one object a line";
}
