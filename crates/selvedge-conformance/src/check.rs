//! The checks, by their names.

use crate::checks::{changes, crash, limits, loads, memory, positions, readers, rejects, removals, subtables, writers};
use crate::failure::{Checked, Failure};
use crate::place::Place;
use crate::scenario::Scenario;

/// Something that has to hold of every destination.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// What has to hold, in a sentence.
    pub(crate) says: String,
    how: How,
}

enum How {
    /// A scenario, or why its file is none.
    Play(Result<Scenario, Failure>),
    Call(Call),
}

/// A check in code.
pub(crate) type Call = fn(&Place<'_>) -> Checked;

impl Check {
    pub(crate) fn run(&self, place: &Place<'_>) -> Checked {
        match &self.how {
            How::Play(Ok(scenario)) => scenario.run(place),
            How::Play(Err(failure)) => Err(Failure::new(failure.to_string())),
            How::Call(call) => call(place),
        }
    }
}

/// The names of all checks, in the order in which they are run.
pub fn names() -> Vec<&'static str> {
    SCENARIOS.iter().map(|(name, _)| *name).chain(CALLS.iter().map(|(name, ..)| *name)).collect()
}

/// All checks, in the order of [`names`].
pub(crate) fn all() -> Vec<Check> {
    let scenario = |(name, file): &(&'static str, &str)| {
        let scenario = serde_json::from_str::<Scenario>(file).map_err(Failure::from);
        let says = scenario.as_ref().map(|scenario| scenario.says.clone()).unwrap_or_default();
        Check { name, says, how: How::Play(scenario) }
    };
    let call = |(name, says, call): &(&'static str, &str, Call)| Check {
        name,
        says: (*says).to_owned(),
        how: How::Call(*call),
    };
    SCENARIOS.iter().map(scenario).chain(CALLS.iter().map(call)).collect()
}

/// The scenario of a file in `scenarios/`.
macro_rules! scenario {
    ($name:literal) => {
        ($name, include_str!(concat!("../scenarios/", $name, ".json")))
    };
}

const SCENARIOS: &[(&str, &str)] = &[
    scenario!("upsert"),
    scenario!("late_records"),
    scenario!("ties"),
    scenario!("order"),
    scenario!("table_versions"),
    scenario!("activate_version"),
    scenario!("switch_view"),
    scenario!("version_in_pieces"),
    scenario!("version_without"),
    scenario!("late_versions"),
    scenario!("older_activation"),
    scenario!("activation_first"),
    scenario!("winner_across_versions"),
    scenario!("keyless_versions"),
    scenario!("versions_of_subrows"),
    scenario!("soft_delete"),
    scenario!("soft_delete_unknown"),
    scenario!("soft_delete_then_upsert"),
    scenario!("late_row_after_soft_delete"),
    scenario!("delete_and_upsert_in_one_batch"),
    scenario!("hard_delete"),
    scenario!("late_hard_delete"),
    scenario!("hard_delete_unknown"),
    scenario!("tombstone_outlives_late_rows"),
    scenario!("upsert_after_tombstone"),
    scenario!("tombstones_and_versions"),
    scenario!("hard_delete_of_subrows"),
    scenario!("hard_delete_composite_keys"),
    scenario!("keyless"),
    scenario!("keyless_repeat"),
    scenario!("append"),
    scenario!("append_versions"),
    scenario!("composite_keys"),
    scenario!("key_limits"),
    scenario!("repeated_request"),
    scenario!("bad_record"),
    scenario!("rejected_each"),
    scenario!("duplicate_keys"),
    scenario!("pause_and_resume"),
    scenario!("rekey"),
    scenario!("rekey_versions"),
    scenario!("reset"),
    scenario!("drop_table"),
    scenario!("replay"),
    scenario!("replay_versions"),
    scenario!("purge"),
    scenario!("undocumented_fields"),
    scenario!("system_columns"),
    scenario!("types"),
    scenario!("numbers_exact"),
    scenario!("integer_out_of_range"),
    scenario!("number_out_of_range"),
    scenario!("decimal_scale"),
    scenario!("decimal_text"),
    scenario!("decimal_wider_scale"),
    scenario!("decimal_scale_splits"),
    scenario!("decimal_out_of_range"),
    scenario!("date_times"),
    scenario!("timestamp_out_of_range"),
    scenario!("nul_kept"),
    scenario!("nulls"),
    scenario!("type_lists"),
    scenario!("untyped_by_value"),
    scenario!("untyped_numbers"),
    scenario!("untyped_splits"),
    scenario!("nested_objects"),
    scenario!("open_objects"),
    scenario!("nesting_limit"),
    scenario!("arrays_of_objects"),
    scenario!("scalar_elements"),
    scenario!("arrays_in_arrays"),
    scenario!("arrays_in_objects"),
    scenario!("keyless_subtables"),
    scenario!("subrows_replaced"),
    scenario!("subrows_of_late_records"),
    scenario!("names"),
    scenario!("names_hostile"),
    scenario!("names_reserved"),
    scenario!("names_reserved_suffix"),
    scenario!("field_collision"),
    scenario!("table_name_too_long"),
    scenario!("column_name_too_long"),
    scenario!("integrations"),
    scenario!("declared_columns_stand"),
    scenario!("declared_columns_wait"),
    scenario!("column_never_filled"),
    scenario!("every_value_null"),
    scenario!("new_column_at_end"),
    scenario!("column_vanishes"),
    scenario!("changed_types"),
    scenario!("split_suffixes"),
    scenario!("first_type_renamed"),
    scenario!("policy_freeze"),
    scenario!("policy_discard_column"),
    scenario!("policy_discard_record"),
    scenario!("policy_widen"),
    scenario!("policy_reject"),
    scenario!("rejected_records"),
    scenario!("columns_redacted"),
    scenario!("queue_recreated"),
    scenario!("second_queue"),
    scenario!("queue_restored"),
    scenario!("destination_restored"),
    scenario!("destination_lost"),
];

const CALLS: &[(&str, &str, Call)] = &[
    ("no_rows", "a load without rows moves the position, and makes the table if it is the first", loads::no_rows),
    ("whole_or_nothing", "a load that cannot be applied leaves nothing behind", loads::whole_or_nothing),
    ("random_loads", "random loads leave the rows and counts that the in-memory destination has", loads::random),
    ("subtables", "the rows of subtables are replaced with the row they belong to", subtables::replaced),
    ("subtables_stale", "a row that is not written leaves its subrows as they are", subtables::stale),
    ("subtables_keyless", "the rows of a keyless table's subtables are appended", subtables::keyless),
    ("subtables_grow", "the columns of a subtable change like those of a table", subtables::grows),
    ("subtables_deep", "subrows are told apart by every source key and every level id", subtables::deep),
    ("widened_columns", "a column that becomes wider keeps its values exactly", changes::widened),
    ("renamed_columns", "a column that is renamed keeps its values", changes::renamed),
    ("limits", "every type keeps its extreme values, also as a key", limits::types),
    ("wide_table", "a table of 1,000 columns is made at once and grows to it", limits::columns),
    ("too_many_columns", "values beyond the columns a table may have are kept in `_sdc_extra`", limits::extra),
    ("stale", "a load planned on another state has no effect and fails as stale", positions::stale),
    ("applied_twice", "a load that is applied again has no effect and fails as stale", positions::applied_twice),
    ("positions", "the position is kept as it is, with its queue, epoch, batch and record", positions::kept),
    ("counts", "the counts of a load go on from those it brings", positions::counts),
    ("rejects", "rejected records are kept with the load that brings them", rejects::kept),
    ("remove_table", "a table that is removed leaves nothing that its successor would find", removals::table),
    ("remove_keys", "of keys that are removed neither rows nor subrows nor tombstones are left", removals::keys),
    ("remove_rejects", "rejected records are removed by their keys, and stay counted", removals::rejects),
    ("remove_old_rejects", "rejected records are removed by their age, and stay counted", removals::old_rejects),
    ("remove_stale", "nothing is removed from a table that was changed since one looked", removals::stale),
    ("removed_for_good", "what is removed stands in no file of the destination", removals::for_good),
    ("two_writers", "two that load at once end in one clear error, never in mixed rows", writers::two),
    ("one_moment", "whoever looks sees rows and state of one moment, also while there are loads", readers::one_moment),
    ("crash", "a kill at any moment leaves whole loads, and the next one goes on", crash::kills),
    ("bounded_memory", "memory does not grow with the table, neither by loading nor by reading", memory::bounded),
];
