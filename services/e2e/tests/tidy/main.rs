//! The rules of the tree, read from `cargo metadata` and the sources.
//!
//! A rule is a function from a [`Tree`] to violations, with tests of its own that show it red on a
//! small tree. A rule about something that does not exist yet is in force from the moment it does.
//! `cargo xtask test tidy` runs them all.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod components;
mod rules;
mod source;
mod tree;

use std::sync::LazyLock;

use crate::tree::{Tree, Violation};

static TREE: LazyLock<Tree> = LazyLock::new(Tree::read);

/// Fails with all violations at once, one on a line.
fn check(rule: fn(&Tree) -> Vec<Violation>) {
    let violations = rule(&TREE);
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(
        lines.is_empty(),
        "{} violations\n\n{}\n",
        lines.len(),
        lines.join("\n")
    );
}

#[test]
fn every_component_is_in_the_one_list() {
    check(rules::components::listed);
}

#[test]
fn a_component_is_one_word_everywhere() {
    check(rules::components::one_word);
}

#[test]
fn a_component_has_the_files_of_a_component() {
    check(rules::components::files);
}

#[test]
fn a_component_depends_on_no_other_component() {
    check(rules::dependencies::components_stand_alone);
}

#[test]
fn the_foundation_depends_on_no_component() {
    check(rules::dependencies::foundation_is_below);
}

#[test]
fn money_is_pure() {
    check(rules::dependencies::money_is_pure);
}

#[test]
fn every_crate_inherits_the_lints() {
    check(rules::dependencies::lints_are_inherited);
}

#[test]
fn only_the_store_names_the_database_library() {
    check(rules::layers::storage_stays_in_the_store);
}

#[test]
fn only_the_grpc_layer_and_the_clients_name_tonic() {
    check(rules::layers::tonic_stays_at_the_edges);
}

#[test]
fn a_component_names_neither_broker_nor_cluster_nor_environment() {
    check(rules::layers::components_are_at_home_anywhere);
}

#[test]
fn only_the_wiring_knows_which_mode_runs() {
    check(rules::layers::only_the_wiring_knows_the_mode);
}

#[test]
fn nothing_is_named_common_or_utils() {
    check(rules::files::names_say_something);
}

#[test]
fn no_file_is_called_mod_rs() {
    check(rules::files::no_mod_rs);
}

#[test]
fn files_are_short() {
    check(rules::files::lengths);
}

#[test]
fn every_source_file_says_what_it_is_for() {
    check(rules::files::headers);
}

#[test]
fn every_crate_has_one_integration_binary() {
    check(rules::files::one_integration_binary);
}

#[test]
fn nothing_is_left_to_be_done() {
    check(rules::text::nothing_left_over);
}

#[test]
fn an_ignored_test_says_why() {
    check(rules::text::ignored_tests_say_why);
}

#[test]
fn no_file_names_a_place_on_one_machine() {
    check(rules::text::no_place_on_one_machine);
}

#[test]
fn links_in_documents_lead_somewhere() {
    check(rules::docs::links);
}

#[test]
fn what_documents_name_in_the_sources_is_there() {
    check(rules::docs::names);
}

#[test]
fn every_reason_of_an_error_is_documented() {
    check(rules::docs::reasons);
}
