use super::*;

type Change = fn(&mut Config);

#[test]
fn the_defaults_are_valid_and_offline() {
    let config = Config::default();
    assert!(config.validate().is_ok());
    assert!(!config.is_online());
    assert_eq!(config.limits().max_age_days, 3_650);
    let online = Config {
        ecb: EcbConfig {
            enabled: true,
            ..EcbConfig::default()
        },
        ..config
    };
    assert_eq!(online.limits().max_age_days, 7);
    let strict = Config {
        max_age_days: Some(0),
        ..online
    };
    assert_eq!(strict.limits().max_age_days, 0);
}

#[test]
fn what_breaks_a_rule_is_named() {
    let wrong: [(&str, Change); 11] = [
        ("spread_bp", |config| config.spread_bp = 1_001),
        ("quote_ttl_ms", |config| config.quote_ttl_ms = 3_600_001),
        ("quote_retention_days", |config| {
            config.quote_retention_days = 0
        }),
        ("largest_step", |config| config.largest_step = 1),
        ("max_rates", |config| config.max_rates = 0),
        ("order", |config| config.order = vec!["ecb".to_owned()]),
        ("order", |config| config.order.push("ecb".to_owned())),
        ("ecb.url", |config| config.ecb.url = "ftp://ecb".to_owned()),
        ("fixer.key", |config| config.fixer.enabled = true),
        ("currencyapi.timeout_ms", |config| {
            config.currencyapi.timeout_ms = 0
        }),
        ("ecb.interval_minutes", |config| {
            config.ecb.interval_minutes = 0
        }),
    ];
    for (field, change) in wrong {
        let mut config = Config::default();
        change(&mut config);
        let error = config.validate().map_err(|error| error.to_string());
        let expected = format!("currency.settings.{field}: ");
        assert!(
            error
                .as_ref()
                .is_err_and(|text| text.starts_with(&expected)),
            "{field}: {error:?}"
        );
    }
}

#[test]
fn a_key_does_not_show() {
    let mut config = Config::default();
    config.fixer.key = Secret::new("hunter2");
    assert!(!format!("{config:?}").contains("hunter2"));
    let printed = serde_json::to_string(&config).unwrap_or_default();
    assert!(printed.contains("***") && !printed.contains("hunter2"));
}
