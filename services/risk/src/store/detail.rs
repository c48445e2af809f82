//! What only an explanation needs of a decision, as one compact value. Field numbers are never used again for anything else.

use paymesh_kernel::id::reexport::Uuid;
use prost::Message as _;

use crate::domain::{Feature, Features, Payment, Reason, RuleId, Source, feature::Value};

#[derive(Clone, PartialEq, prost::Message)]
struct Detail {
    #[prost(message, repeated, tag = "1")]
    reasons: Vec<StoredReason>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    matched: Vec<Vec<u8>>,
    /// Numbers of the features that are not zero, and their values.
    #[prost(uint32, repeated, tag = "3")]
    wholes: Vec<u32>,
    #[prost(sint64, repeated, tag = "4")]
    whole_values: Vec<i64>,
    #[prost(uint32, repeated, tag = "5")]
    ratios: Vec<u32>,
    #[prost(double, repeated, tag = "6")]
    ratio_values: Vec<f64>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct StoredReason {
    /// 1 rule, 2 list, 4 limit, as the contract numbers them.
    #[prost(uint32, tag = "1")]
    source: u32,
    #[prost(string, tag = "2")]
    code: String,
    #[prost(string, tag = "3")]
    text: String,
    #[prost(sint32, tag = "4")]
    points: i32,
}

/// Reasons, rules that held, and features.
pub(super) type Parts = (Vec<Reason>, Vec<RuleId>, Features);

pub(super) fn encode(reasons: &[Reason], matched: &[RuleId], features: &Features) -> Vec<u8> {
    let mut detail = Detail {
        reasons: reasons.iter().map(stored).collect(),
        matched: matched
            .iter()
            .map(|id| id.as_uuid().as_bytes().to_vec())
            .collect(),
        ..Detail::default()
    };
    for feature in Feature::all() {
        match features.get(feature) {
            Value::Whole(0) => {}
            Value::Whole(value) => {
                detail.wholes.push(feature.number());
                detail.whole_values.push(value);
            }
            Value::Ratio(value) => {
                if value.abs() > 0.0 {
                    detail.ratios.push(feature.number());
                    detail.ratio_values.push(value);
                }
            }
        }
    }
    detail.encode_to_vec()
}

/// None when the bytes are not what [`encode`] makes. Features of a later version that are not known here are left out.
pub(super) fn decode(bytes: &[u8], payment: &Payment) -> Option<Parts> {
    let detail = Detail::decode(bytes).ok()?;
    let mut features = Features::of(payment);
    let wholes = detail.wholes.iter().zip(&detail.whole_values);
    let ratios = detail.ratios.iter().zip(&detail.ratio_values);
    let values = wholes
        .map(|(number, value)| (number, Value::Whole(*value)))
        .chain(ratios.map(|(number, value)| (number, Value::Ratio(*value))));
    for (number, value) in values {
        if let Some(feature) = Feature::numbered(*number) {
            features.restore(feature, value);
        }
    }
    let reasons = detail
        .reasons
        .into_iter()
        .map(read)
        .collect::<Option<_>>()?;
    let matched = detail
        .matched
        .iter()
        .map(|id| Uuid::from_slice(id).ok().map(RuleId::from))
        .collect::<Option<_>>()?;
    Some((reasons, matched, features))
}

fn stored(reason: &Reason) -> StoredReason {
    StoredReason {
        source: match reason.source {
            Source::Rule => 1,
            Source::List => 2,
            Source::Limit => 4,
        },
        code: reason.code.clone(),
        text: reason.text.clone(),
        points: reason.points,
    }
}

fn read(reason: StoredReason) -> Option<Reason> {
    let source = match reason.source {
        1 => Source::Rule,
        2 => Source::List,
        4 => Source::Limit,
        _ => return None,
    };
    Some(Reason {
        source,
        code: reason.code,
        text: reason.text,
        points: reason.points,
    })
}
