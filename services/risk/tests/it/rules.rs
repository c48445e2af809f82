//! PutRule, GetRule, ListRules, DeleteRule and Backtest.

use paymesh_kernel::Fault as _;
use paymesh_proto::{
    risk::v1 as pb,
    types::v1::{Outcome, Page, TimeRange},
};

use crate::world::{DAY_US, HOUR_US, World, usd};

crate::scenario! {
    a_new_tenant_has_the_default_rules_and_may_change_them;
    r7_an_expression_that_cannot_be_read_is_refused_with_its_place;
    a_rule_takes_part_from_its_commit_to_its_end;
    rules_are_replaced_by_version_and_named_once;
    r8_a_backtest_comes_to_what_was_decided_live;
    a_backtest_counts_frauds_and_writes_nothing;
}

fn request_of(rule: &pb::Rule) -> pb::PutRuleRequest {
    pb::PutRuleRequest {
        rule_id: rule.id.clone(),
        name: rule.name.clone(),
        expression: rule.expression.clone(),
        decision: rule.decision,
        points: rule.points,
        priority: rule.priority,
        state: rule.state,
        expected_version: 0,
    }
}

async fn all_rules(world: &World) -> Vec<pb::Rule> {
    let mut page = Page {
        size: 3,
        token: String::new(),
    };
    let mut rules = Vec::new();
    loop {
        let request = pb::ListRulesRequest {
            page: Some(page.clone()),
            ..Default::default()
        };
        let answer = world
            .staff(|mut client| async move { client.list_rules(request).await })
            .await
            .unwrap();
        rules.extend(answer.rules);
        page.token = answer.page_info.unwrap().next_token;
        if page.token.is_empty() {
            return rules;
        }
    }
}

async fn a_new_tenant_has_the_default_rules_and_may_change_them(mut world: World) {
    let rules = all_rules(&world).await;
    assert_eq!(rules.len(), 7);
    assert!(rules.is_sorted_by_key(|rule| rule.priority));
    let large = rules
        .iter()
        .find(|rule| rule.name == "large-card-purchase")
        .unwrap();
    let change = pb::PutRuleRequest {
        state: pb::RuleState::Disabled.into(),
        expected_version: 1,
        ..request_of(large)
    };
    assert_eq!(
        world
            .try_put_rule(change)
            .await
            .unwrap()
            .rule
            .unwrap()
            .version,
        2
    );
    world.restart().await;
    let mut request = world.purchase("a");
    request.amount = Some(usd(30_000));
    assert_eq!(world.assess(&request).await.decision(), pb::Decision::Allow);
    assert_eq!(all_rules(&world).await.len(), 7);
}

async fn r7_an_expression_that_cannot_be_read_is_refused_with_its_place(world: World) {
    let request = pb::PutRuleRequest {
        rule_id: world.rule_id(),
        name: "broken".to_owned(),
        expression: "amount > 5 and amout < 3".to_owned(),
        ..Default::default()
    };
    let error = world.try_put_rule(request).await.unwrap_err();
    assert_eq!(error.reason_text(), "EXPRESSION_INVALID", "R7");
    let [violation] = &error.violations()[..] else {
        panic!("one violation: {error:?}");
    };
    assert_eq!(violation.field, "expression");
    assert_eq!(
        violation.rule,
        "at character 16: there is no feature `amout`"
    );
}

async fn a_rule_takes_part_from_its_commit_to_its_end(world: World) {
    let decided = async || world.assess(&world.purchase("a")).await.decision();
    assert_eq!(decided().await, pb::Decision::Allow);
    let rule = world
        .put_rule(
            "at-most-one",
            "customer_nb_tx_1d > 1",
            pb::Decision::Challenge,
        )
        .await;
    assert_eq!(decided().await, pb::Decision::Challenge);
    let shadow = pb::PutRuleRequest {
        state: pb::RuleState::Shadow.into(),
        ..request_of(&rule)
    };
    world.try_put_rule(shadow).await.unwrap();
    let decision = world.assess(&world.purchase("a")).await;
    assert_eq!(decision.decision(), pb::Decision::Allow);
    assert_eq!(
        world.explain(&decision.id).await.matched_rule_ids,
        std::slice::from_ref(&rule.id)
    );
    let delete = pb::DeleteRuleRequest {
        rule_id: rule.id.clone(),
    };
    for wanted in [Outcome::Applied, Outcome::AlreadyApplied] {
        let request = delete.clone();
        let answer = world
            .staff(|mut client| async move { client.delete_rule(request).await })
            .await
            .unwrap();
        assert_eq!(answer.outcome(), wanted);
    }
    let get = pb::GetRuleRequest {
        rule_id: rule.id.clone(),
    };
    let answer = world
        .staff(|mut client| async move { client.get_rule(get).await })
        .await;
    assert_eq!(answer.unwrap_err().reason_text(), "RULE_NOT_FOUND");
    let decision = world.assess(&world.purchase("a")).await;
    assert!(
        world
            .explain(&decision.id)
            .await
            .matched_rule_ids
            .is_empty()
    );
    // Its name and its id are free again, and its versions go on.
    let again = world
        .try_put_rule(request_of(&rule))
        .await
        .unwrap()
        .rule
        .unwrap();
    assert_eq!(again.version, 4);
    assert_eq!(decided().await, pb::Decision::Challenge);
}

async fn rules_are_replaced_by_version_and_named_once(world: World) {
    let rule = world
        .put_rule("mine", "amount > 1", pb::Decision::Review)
        .await;
    assert_eq!(
        world
            .try_put_rule(request_of(&rule))
            .await
            .unwrap()
            .outcome(),
        Outcome::AlreadyApplied
    );
    let stale = pb::PutRuleRequest {
        expected_version: 7,
        points: 11,
        ..request_of(&rule)
    };
    assert_eq!(
        world.try_put_rule(stale).await.unwrap_err().reason_text(),
        "RULE_VERSION_CONFLICT"
    );
    let named_alike = pb::PutRuleRequest {
        rule_id: world.rule_id(),
        ..request_of(&rule)
    };
    assert_eq!(
        world
            .try_put_rule(named_alike)
            .await
            .unwrap_err()
            .reason_text(),
        "RULE_NAME_TAKEN"
    );
    let missing = pb::PutRuleRequest {
        rule_id: world.rule_id(),
        name: "new".to_owned(),
        expected_version: 1,
        ..request_of(&rule)
    };
    assert_eq!(
        world.try_put_rule(missing).await.unwrap_err().reason_text(),
        "RULE_VERSION_CONFLICT"
    );
    let points = pb::PutRuleRequest {
        points: 101,
        name: String::new(),
        ..request_of(&rule)
    };
    let fields: Vec<String> = world
        .try_put_rule(points)
        .await
        .unwrap_err()
        .violations()
        .into_iter()
        .map(|violation| violation.field.into_owned())
        .collect();
    assert_eq!(fields, ["name", "points"]);
}

/// Payments that rules of every kind of feature speak about differently, in the order of business time.
async fn play(world: &World) -> Vec<pb::RiskDecision> {
    let begin = world.now_us() - 10 * DAY_US;
    let mut made = Vec::new();
    for step in 0..60_i64 {
        let customer = ["a", "b", "c"][usize::try_from(step % 3).unwrap()];
        let mut request = world.purchase(customer);
        request.business_at_us = begin + step * 3 * HOUR_US + step % 5;
        request.amount = Some(usd(if step % 11 == 0 {
            25_000
        } else {
            500 + 37 * step
        }));
        request.terminal_id = format!("trm_{}", step % 2);
        request.payment_method_is_new = step % 7 == 0;
        made.push(world.assess(&request).await);
    }
    made
}

async fn r8_a_backtest_comes_to_what_was_decided_live(world: World) {
    world
        .put_rule(
            "pace",
            "customer_nb_tx_1d > 2 and is_night",
            pb::Decision::Challenge,
        )
        .await;
    world
        .put_rule(
            "sum",
            "customer_sum_7d > 3 * customer_avg_30d + 20000",
            pb::Decision::Deny,
        )
        .await;
    world
        .put_rule(
            "new",
            "payment_method_is_new and terminal == \"trm_0\"",
            pb::Decision::Allow,
        )
        .await;
    let made = play(&world).await;
    let mut wanted: std::collections::HashMap<String, u64> = std::collections::HashMap::new();
    for decision in &made {
        let word = decision
            .decision()
            .as_str_name()
            .trim_start_matches("DECISION_")
            .to_lowercase();
        *wanted.entry(word).or_default() += 1;
    }
    assert!(
        wanted.len() >= 3,
        "the payments are decided on differently: {wanted:?}"
    );
    let idle = pb::Rule {
        name: "idle".to_owned(),
        expression: "false".to_owned(),
        ..Default::default()
    };
    let request = pb::BacktestRequest {
        rules: vec![idle.clone()],
        with_enabled_rules: true,
        ..Default::default()
    };
    let all = world.backtest(request.clone()).await;
    assert_eq!((all.payment_count, all.decision_counts), (60, wanted), "R8");
    // A part is looked at with windows filled from before it.
    let from = made[30].business_at_us;
    let part = pb::BacktestRequest {
        business: Some(TimeRange {
            from_at_us: from,
            until_at_us: 0,
        }),
        ..request
    };
    let part = world.backtest(part).await;
    let denied = made[30..]
        .iter()
        .filter(|decision| decision.decision() == pb::Decision::Deny)
        .count();
    assert_eq!(part.payment_count, 30);
    assert_eq!(
        part.decision_counts.get("deny").copied().unwrap_or(0),
        u64::try_from(denied).unwrap(),
        "R8"
    );
}

async fn a_backtest_counts_frauds_and_writes_nothing(world: World) {
    let begin = world.now_us() - 3 * DAY_US;
    let items = (0..100_i64).map(|number| pb::HistoryItem {
        reference: format!("h{number}"),
        customer_id: format!("c{}", number % 5),
        terminal_id: "t".to_owned(),
        amount: Some(usd(if number % 10 == 0 { 5_000 } else { 100 })),
        business_at_us: begin + number * 60_000_000,
        fraud: number % 20 == 0,
        ..Default::default()
    });
    let request = pb::ImportHistoryRequest {
        import_id: "i".to_owned(),
        chunk: 0,
        items: items.collect(),
    };
    world
        .staff(|mut client| async move { client.import_history(request).await })
        .await
        .unwrap();
    let rule = |name: &str, expression: &str| pb::Rule {
        name: name.to_owned(),
        expression: expression.to_owned(),
        decision: pb::Decision::Deny.into(),
        ..Default::default()
    };
    let request = pb::BacktestRequest {
        rules: vec![
            rule("large", "amount >= 5000"),
            rule("none", "amount > 5000"),
        ],
        ..Default::default()
    };
    let answer = world.backtest(request).await;
    assert_eq!((answer.payment_count, answer.fraud_count), (100, 5));
    let large = &answer.lines[0];
    assert_eq!((large.matched_count, large.fraud_count), (10, 5));
    assert_eq!((large.precision_bp, large.recall_bp), (5_000, 10_000));
    assert_eq!(answer.lines[1].matched_count, 0);
    assert_eq!(answer.decision_counts["deny"], 10);
    assert_eq!(all_rules(&world).await.len(), 7);
    let limited = pb::BacktestRequest {
        rules: vec![rule("large", "true")],
        limit: 30,
        ..Default::default()
    };
    assert_eq!(world.backtest(limited).await.payment_count, 30);
    let broken = pb::BacktestRequest {
        rules: vec![rule("ok", "true"), rule("broken", "1")],
        ..Default::default()
    };
    let error = world
        .staff(|mut client| async move { client.backtest(broken).await })
        .await
        .unwrap_err();
    assert_eq!(error.violations()[0].field, "rules[1].expression");
}
