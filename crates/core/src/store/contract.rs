//! What every store promises: one function for each promise, named after it, that takes an empty store.
//! [`contract_tests!`](crate::contract_tests) turns them into the tests of one backend, so that a
//! failure reads `sqlite::one_identity_for_two_hundred_racing_first_logins`.
//!
//! To add a promise, write the function and put its name on the list below; a test sees to it that none
//! is forgotten.

#![expect(missing_docs, reason = "each case is named after its promise")]
#![expect(clippy::unwrap_used, reason = "these are tests, though the compiler takes them for a library")]

mod audit_events;
mod audit_exports;
mod clearing;
mod device_authorizations;
mod fixture;
mod identities;
mod keys;
pub mod model;
mod once;
mod pools;
mod revocations;
mod seals;
mod sign_in_sessions;
pub mod whole;

pub use audit_events::*;
pub use audit_exports::*;
pub use clearing::*;
pub use device_authorizations::*;
pub use identities::*;
pub use keys::*;
pub use model::*;
pub use once::*;
pub use pools::*;
pub use revocations::*;
pub use seals::*;
pub use sign_in_sessions::*;

/// The tests of one backend. The expression makes an empty store, and whatever must outlive it:
/// `contract_tests!(memory, (Arc::new(MemoryStore::new()), ()))`. It is evaluated once for each case.
#[macro_export]
macro_rules! contract_tests {
    ($backend:ident, $new_store:expr) => {
        $crate::contract_tests! { $backend, $new_store, [
            a_fresh_store_answers,
            // pools
            a_pool_comes_back_as_it_was_added,
            an_unknown_pool_is_none,
            a_taken_pool_id_is_refused_and_the_pool_stays,
            the_configured_pool_is_created_from_the_first_candidate,
            pools_configured_under_two_names_are_two,
            configured_pools_are_listed_by_their_names,
            the_configured_pool_shows_what_was_changed_since,
            a_pool_is_replaced_as_a_whole,
            a_change_to_one_pool_leaves_the_other_alone,
            a_change_on_top_of_a_stale_reading_is_noticed,
            an_unknown_pool_is_not_replaced,
            pages_of_pools_neither_repeat_nor_skip,
            // pools: deletions
            a_deleted_pool_is_gone_with_its_identities_and_logins,
            an_unknown_pool_is_not_deleted,
            a_configured_pool_can_be_made_again_after_its_deletion,
            nothing_of_a_deleted_pool_is_seen_while_it_is_purged,
            the_ids_of_a_deleted_pool_are_free,
            a_pool_that_is_made_again_has_nobody_in_it,
            // pools: transfer
            a_pool_is_read_with_everybody_in_it,
            an_unknown_pool_is_not_read,
            a_reading_shows_no_later_change,
            an_imported_pool_is_as_it_was_brought,
            a_name_that_leads_to_a_pool_goes_on_leading_there,
            an_empty_pool_takes_on_what_is_imported,
            the_same_import_again_changes_nothing,
            a_pool_with_others_in_it_takes_no_import,
            an_identity_of_another_pool_is_not_imported,
            a_login_is_not_imported_for_two_identities,
            an_import_that_ends_badly_leaves_nothing,
            what_comes_out_of_order_is_not_imported,
            a_deleted_pool_comes_back_as_it_is_brought,
            of_racing_imports_of_one_pool_one_brings_it,
            // pools: races
            first_logins_racing_with_the_deletion_of_their_pool_leave_nothing,
            racing_purges_take_nothing_that_is_there,
            of_racing_changes_to_a_pool_one_wins_each_version,
            racing_starts_agree_on_the_configured_pool,
            // identities: guests
            a_guest_comes_back_as_it_was_added,
            an_unknown_identity_is_none,
            no_guest_without_a_pool,
            a_taken_identity_id_is_refused_and_the_identity_stays,
            // identities: logins
            a_first_login_creates_an_identity,
            a_second_login_is_known,
            a_login_that_names_its_own_identity_is_known,
            an_identity_comes_with_its_logins_whoever_asks,
            a_guest_that_logs_in_keeps_its_id,
            a_linked_login_is_known_from_then_on,
            a_login_of_another_identity_is_already_registered,
            an_identity_with_a_login_takes_no_second_one,
            an_identity_nobody_made_is_unknown,
            an_identity_of_another_pool_is_unknown,
            an_unknown_identity_is_refused_even_to_a_known_login,
            a_refused_login_leaves_nothing_behind,
            no_login_without_a_pool,
            a_new_login_cannot_take_an_identity_id_that_is_taken,
            developer_user_identifiers_differ_if_a_byte_does,
            developer_user_identifiers_may_have_1024_characters,
            the_longest_identifiers_may_be_any_characters,
            the_same_identifier_in_two_pools_is_two_identities,
            the_answer_to_a_login_is_what_a_lookup_finds,
            instants_of_any_age_are_kept_to_the_millisecond,
            // identities: linking
            several_first_logins_create_one_identity,
            a_new_login_beside_a_known_one_is_linked,
            a_guest_takes_several_logins_at_once,
            public_and_developer_logins_of_the_same_text_do_not_meet,
            a_login_in_two_pools_is_two_people,
            a_stranger_without_a_login_of_it_reaches_no_identity,
            a_developer_user_of_another_identity_merges_nobody,
            a_merge_keeps_all_logins_and_disables_the_loser,
            three_people_who_are_one_are_merged_at_once,
            the_owner_of_a_login_survives_rather_than_a_guest,
            the_older_of_two_owners_survives_even_if_the_younger_is_named,
            of_two_owners_of_one_age_the_smaller_id_survives,
            one_identity_never_has_two_users_of_one_public_provider,
            an_identity_may_have_20_logins_and_no_more,
            a_disabled_identity_is_refused_and_stays_as_it_is,
            // identities: unlinking
            merged_developer_users_are_the_destination,
            a_merge_of_one_identity_with_itself_changes_nothing,
            a_merge_with_an_unknown_user_is_refused,
            developer_users_of_two_pools_are_not_merged,
            a_merge_that_breaks_a_sum_changes_nothing,
            an_unlinked_developer_user_is_free_again,
            an_identity_whose_last_login_is_gone_is_out_of_reach,
            only_a_developer_user_of_the_named_identity_is_unlinked,
            unlinking_in_one_pool_leaves_the_other_alone,
            public_logins_are_unlinked_by_provider,
            public_logins_are_unlinked_all_or_none,
            public_logins_are_unlinked_only_by_a_login_of_the_identity,
            nothing_is_unlinked_from_an_identity_that_is_disabled_or_unknown,
            // identities: deletions
            a_deleted_identity_is_gone_with_its_logins,
            a_deleted_identity_is_unknown_to_a_login_that_names_it,
            identities_that_do_not_exist_are_passed_over,
            the_loser_of_a_merge_is_deleted_without_the_survivors_logins,
            // identities: listings
            pages_of_identities_neither_repeat_nor_skip,
            ids_of_every_form_are_listed_each_once,
            identities_are_listed_by_pool,
            enabled_identities_are_listed_either_way,
            disabled_identities_can_be_hidden,
            logins_are_listed_by_identity_in_order,
            a_page_after_an_item_that_is_gone_goes_on_behind_it,
            // identities: races
            one_identity_for_two_hundred_racing_first_logins,
            racing_first_logins_of_many_people_do_not_mix,
            of_two_logins_racing_for_one_guest_one_is_linked,
            of_two_guests_one_login_races_for_one_is_linked,
            a_first_login_racing_with_a_link_gives_it_one_identity,
            a_deletion_racing_with_a_link_leaves_all_or_nothing,
            of_racing_merges_both_ways_one_ends_an_identity,
            of_racing_unlinks_one_takes_the_login,
            // keys
            the_first_signing_key_of_an_algorithm_is_everybodys,
            a_signing_key_follows_those_that_were_seen,
            a_signing_key_may_sign_before_one_that_was_seen,
            signing_keys_are_listed_by_when_they_sign,
            signing_keys_that_are_over_are_forgotten,
            racing_rotations_make_one_signing_key,
            a_rehearsal_leaves_the_signing_keys_as_they_are,
            a_store_without_signing_keys_lists_none,
            an_access_key_comes_back_as_it_was_added,
            the_first_access_key_of_a_name_is_everybodys,
            access_keys_of_two_names_are_two,
            an_unknown_access_key_is_none,
            a_taken_access_key_id_is_refused_and_the_key_stays,
            a_start_takes_the_oldest_enabled_access_key_of_its_name,
            a_name_has_one_first_access_key,
            a_further_access_key_has_the_policy_of_its_name,
            no_further_access_key_without_a_first,
            a_third_access_key_waits_until_one_is_disabled,
            a_taken_access_key_id_is_refused_to_a_further_key_too,
            an_access_key_is_disabled_and_enabled_again,
            both_enabled_access_keys_may_be_enabled_again,
            an_unknown_access_key_is_neither_enabled_nor_deleted,
            an_access_key_is_deleted_once_it_is_disabled,
            a_name_is_free_again_after_its_last_access_key,
            access_keys_are_listed_by_name_and_age,
            // keys: races
            racing_starts_agree_on_the_signing_key,
            racing_starts_agree_on_the_access_key,
            racing_rotations_leave_two_enabled_access_keys,
            a_rotation_racing_with_an_enabling_leaves_two_enabled_access_keys,
            of_racing_first_access_keys_of_one_name_one_is_kept,
            // revocations
            nothing_is_revoked_at_first,
            an_identity_and_a_role_are_revoked_apart,
            the_later_of_two_revocations_counts,
            everybody_is_revoked_at_once,
            a_later_revocation_stays,
            a_revocation_is_not_cut_short,
            a_standing_is_the_identity_with_its_logins_and_revocations,
            a_standing_without_a_role_knows_nothing_of_roles,
            an_identity_that_is_not_there_can_be_revoked,
            racing_revocations_leave_the_latest,
            a_revocation_is_later_than_whatever_was_kept_before,
            // sessions
            a_session_comes_back_as_it_was_added,
            an_unknown_session_is_none_and_neither_replaced_nor_ended,
            a_taken_session_id_is_refused_and_the_session_stays,
            a_session_is_replaced_whole_by_who_has_read_it_last,
            a_session_that_ended_is_not_replaced_and_its_first_end_stays,
            the_sessions_of_an_identity_are_listed_newest_first,
            of_many_sessions_the_newest_are_listed,
            a_session_is_forgotten_long_after_its_end_and_not_before,
            the_sessions_of_a_deleted_identity_are_gone,
            the_sessions_of_an_identity_that_is_merged_are_the_survivors,
            the_sessions_of_a_survivor_go_with_it_and_with_nobody_else,
            an_identity_goes_with_sessions_that_are_long_over,
            a_session_may_be_written_under_its_identity_again_after_that_was_merged,
            what_was_revoked_of_an_identity_stays_so_when_it_is_merged,
            a_standing_says_whether_its_session_goes_on,
            the_last_end_of_sessions_is_of_those_whose_token_is_of_before,
            // sessions: races
            of_racing_changes_to_a_session_one_wins_each_generation,
            an_end_racing_with_changes_to_a_session_stays,
            // device authorizations
            a_device_authorization_comes_back_as_it_was_added,
            an_unknown_device_authorization_is_none_and_is_not_replaced,
            a_taken_user_code_is_refused_and_the_device_authorization_stays,
            a_device_authorization_is_replaced_by_who_has_read_it_last,
            a_device_authorization_is_forgotten_long_after_its_end_and_not_before,
            of_racing_decisions_about_a_device_one_counts,
            a_decision_racing_with_questions_of_the_device_stays,
            // once: names
            a_name_counts_once,
            names_count_apart_if_a_byte_differs,
            a_name_is_forgotten_at_its_end_and_not_before,
            who_comes_second_does_not_make_a_name_last_longer,
            names_that_ended_take_no_living_ones_along,
            of_many_who_race_for_one_name_one_is_first,
            // once: login grants
            a_login_grant_comes_back_once_as_it_was_added,
            an_unknown_login_grant_is_none,
            login_grants_with_two_codes_are_two,
            an_expired_login_grant_is_nobodys,
            a_new_login_grant_takes_expired_ones_along_and_no_others,
            a_taken_code_is_refused_and_the_login_grant_stays,
            of_sixteen_racing_redemptions_of_a_login_grant_one_gets_it,
            // sealed values
            a_store_without_sealed_values_lists_none,
            pages_of_sealed_values_neither_repeat_nor_skip,
            a_value_is_sealed_anew_and_nothing_else_changes,
            a_value_that_is_another_one_or_gone_stays,
            a_refresh_under_way_brings_no_old_seal_back,
            racing_resealings_do_each_value_once,
            the_master_key_that_was_announced_last_counts_from_then_on,
            // audit events
            an_audit_event_comes_back_as_it_was_added,
            an_audit_event_may_be_almost_empty,
            audit_events_are_found_by_each_subject,
            audit_events_come_last_kept_first,
            audit_events_are_found_by_all_that_a_question_says,
            audit_events_are_read_on_from_any_of_them_in_their_order,
            audit_events_kept_together_stay_in_their_order,
            the_newest_audit_events_fill_the_limit,
            the_newest_events_of_all_are_those_kept_last,
            pages_of_audit_events_neither_repeat_nor_skip,
            racing_audit_events_are_all_kept,
            // audit events: what goes
            what_is_dropped_of_a_trail_is_its_old_end,
            of_those_who_drop_at_once_each_line_is_dropped_by_one,
            a_clearing_takes_what_is_over_and_spares_the_living,
            a_trail_goes_from_its_oldest_event_to_its_newest,
            an_unproved_refusal_comes_back_as_it_was_added_and_is_no_audit_event,
            unproved_refusals_come_last_kept_first_and_fill_the_limit,
            the_newest_unproved_refusals_take_the_places_of_the_oldest,
            // audit exports
            an_exporter_that_never_began_is_nowhere,
            an_export_position_comes_back_as_it_was_kept,
            an_exporter_goes_on_from_where_it_is_alone,
            each_exporter_has_a_position_of_its_own,
            of_racing_moves_of_one_exporter_one_counts,
            // random changes
            random_changes_come_out_as_the_model_says,
            racing_links_merges_and_unlinks_lose_nothing,
            racing_changes_of_every_kind_leave_no_login_adrift,
        ] }
    };
    // A race needs threads, and they cost the other cases nothing worth a second list.
    ($backend:ident, $new_store:expr, [$($case:ident,)*]) => {
        mod $backend {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    let (store, _outlives_the_store) = $new_store;
                    $crate::store::contract::$case(store).await;
                }
            )*
        }
    };
}

#[cfg(test)]
mod tests {
    const LIST: &str = include_str!("contract.rs");
    const CASES: [&str; 23] = [
        include_str!("contract/audit_events.rs"),
        include_str!("contract/audit_exports.rs"),
        include_str!("contract/clearing.rs"),
        include_str!("contract/device_authorizations.rs"),
        include_str!("contract/identities/deletions.rs"),
        include_str!("contract/identities/guests.rs"),
        include_str!("contract/identities/linking.rs"),
        include_str!("contract/identities/listings.rs"),
        include_str!("contract/identities/logins.rs"),
        include_str!("contract/identities/races.rs"),
        include_str!("contract/identities/unlinking.rs"),
        include_str!("contract/keys.rs"),
        include_str!("contract/keys/races.rs"),
        include_str!("contract/model.rs"),
        include_str!("contract/once/login_grants.rs"),
        include_str!("contract/once/used_once.rs"),
        include_str!("contract/pools.rs"),
        include_str!("contract/pools/deletions.rs"),
        include_str!("contract/pools/races.rs"),
        include_str!("contract/pools/transfer.rs"),
        include_str!("contract/revocations.rs"),
        include_str!("contract/seals.rs"),
        include_str!("contract/sign_in_sessions.rs"),
    ];

    #[test]
    fn every_case_is_on_the_list() {
        let cases = CASES.iter().flat_map(|file| file.split("\npub async fn ").skip(1));
        for case in cases.map(|rest| rest.split('(').next().expect("a split has a first part")) {
            assert!(LIST.contains(&format!("\n            {case},\n")), "{case} is not on the list");
        }
    }
}
