//! Broken twins: destinations with one defect each, which the checks have to find.
//!
//! Each is the in-memory destination with one step replaced by one that looks like it.

mod deletes;
mod looking;
mod removals;
mod rows;
mod state;
mod subrows;
mod values;
mod versions;

use std::path::{Path, PathBuf};

use selvedge_core::{Capabilities, Destination, Inspect, LoadError, Removal, TableLoad, TableName, TableState};

use crate::kit::Kit;
use crate::memory::Memory;

/// A destination with a defect, and the checks that find it.
#[derive(Debug, Clone, Copy)]
pub struct Twin {
    /// Its name.
    pub name: &'static str,
    /// What is wrong with it, in a sentence.
    pub says: &'static str,
    /// The checks that are known to find it.
    pub found_by: &'static [&'static str],
    open: fn(&Path) -> Result<Memory, LoadError>,
    state: State,
    load: Load,
    remove: Remove,
    look: fn(&Path) -> Result<Box<dyn Inspect>, LoadError>,
}

type State = fn(&mut Broken, &TableName) -> Result<Option<TableState>, LoadError>;
type Load = fn(&mut Broken, &TableLoad) -> Result<TableState, LoadError>;
type Remove = fn(&mut Broken, &TableName, &TableState, Removal<'_>) -> Result<Option<TableState>, LoadError>;

/// The in-memory destination with a step replaced.
struct Broken {
    memory: Memory,
    /// Its folder, by which two handles of one destination know each other.
    folder: PathBuf,
    /// How many loads this handle has applied.
    loads: usize,
    state: State,
    load: Load,
    remove: Remove,
}

impl Twin {
    /// The kit for this destination.
    pub fn kit(&self) -> Kit {
        let Self { open, state, load, remove, look, .. } = *self;
        let broken = move |folder: &Path| {
            let (memory, folder) = (open(folder)?, folder.to_owned());
            Ok(Broken { memory, folder, loads: 0, state, load, remove })
        };
        Kit::new(broken, look)
    }
}

impl Destination for Broken {
    fn capabilities(&self) -> &Capabilities {
        self.memory.capabilities()
    }

    fn state(&mut self, table: &TableName) -> Result<Option<TableState>, LoadError> {
        (self.state)(self, table)
    }

    fn load(&mut self, load: &TableLoad) -> Result<TableState, LoadError> {
        let state = (self.load)(self, load)?;
        self.loads += 1;
        Ok(state)
    }

    fn remove(
        &mut self,
        table: &TableName,
        found: &TableState,
        removal: Removal<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        (self.remove)(self, table, found, removal)
    }
}

/// A twin whose defect is in what becomes of a load.
const fn loading(name: &'static str, says: &'static str, found_by: &'static [&'static str], load: Load) -> Twin {
    let state: State = |broken, table| broken.memory.state(table);
    Twin {
        name,
        says,
        found_by,
        open: Memory::open,
        state,
        load,
        remove: |broken, table, found, removal| broken.memory.remove(table, found, removal),
        look: |folder| Ok(Box::new(Memory::read_only(folder)?)),
    }
}

/// A twin whose defect is in what is removed though no record came for that.
const fn removing(name: &'static str, says: &'static str, found_by: &'static [&'static str], remove: Remove) -> Twin {
    Twin { remove, ..loading(name, says, found_by, soundly) }
}

/// Loads as it should.
fn soundly(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    broken.memory.load(load)
}

/// All twins.
pub fn twins() -> Vec<Twin> {
    vec![
        loading("inserts_only", "never replaces a row", &["upsert"], rows::inserts_only),
        loading(
            "last_load_wins",
            "replaces newer rows by older ones",
            &["late_records", "order", "late_row_after_soft_delete"],
            rows::last_load_wins,
        ),
        loading("first_wins_ties", "keeps the earlier of two equal sequences", &["ties"], rows::first_wins_ties),
        loading(
            "ignores_versions",
            "compares sequences alone",
            &["table_versions", "winner_across_versions", "tombstones_and_versions"],
            rows::ignores_versions,
        ),
        loading("folds_case", "takes `a` and `A` for one key", &["composite_keys"], rows::folds_case),
        loading(
            "strips_quotes",
            "takes keys that differ in quotes and commas for one",
            &["hard_delete_composite_keys"],
            rows::strips_quotes,
        ),
        loading(
            "activation_keeps_old",
            "leaves the rows of older versions",
            &[
                "activate_version",
                "switch_view",
                "version_in_pieces",
                "keyless_versions",
                "append_versions",
                "random_loads",
            ],
            versions::activation_keeps_old,
        ),
        loading(
            "activation_keeps_unversioned",
            "leaves the rows without a version",
            &["version_without"],
            versions::activation_keeps_unversioned,
        ),
        loading(
            "activation_leaves_subrows",
            "leaves the subrows of older versions",
            &["versions_of_subrows", "random_loads"],
            versions::activation_leaves_subrows,
        ),
        loading(
            "activation_forgets_tombstones",
            "removes all tombstones when a version is activated",
            &["tombstones_and_versions", "random_loads"],
            versions::activation_forgets_tombstones,
        ),
        Twin {
            state: state::forgets_active_version,
            ..loading(
                "forgets_active_version",
                "does not remember which version is active",
                &["late_versions", "older_activation", "activation_first", "rekey_versions"],
                state::loads_anyway,
            )
        },
        loading(
            "hides_deleted_rows",
            "drops rows that are marked as deleted",
            &["soft_delete", "soft_delete_unknown", "append"],
            deletes::hides_deleted_rows,
        ),
        loading("ignores_deletes", "deletes nothing", &["hard_delete", "crash"], deletes::ignores_deletes),
        loading(
            "deletes_win",
            "takes a delete for newer than any row",
            &["late_hard_delete", "delete_and_upsert_in_one_batch"],
            deletes::deletes_win,
        ),
        loading(
            "forgets_tombstones",
            "keeps nothing of deleted keys",
            &["hard_delete_unknown", "tombstone_outlives_late_rows", "random_loads"],
            deletes::forgets_tombstones,
        ),
        loading(
            "tombstones_for_ever",
            "writes no row in the place of a tombstone",
            &["upsert_after_tombstone", "random_loads"],
            deletes::tombstones_for_ever,
        ),
        loading(
            "deletes_leave_subrows",
            "leaves the subrows of deleted rows",
            &["hard_delete_of_subrows", "random_loads"],
            deletes::deletes_leave_subrows,
        ),
        loading(
            "counts_removed_rows",
            "counts rows that were deleted as if they stood",
            &["hard_delete", "activate_version", "random_loads"],
            deletes::counts_removed_rows,
        ),
        loading(
            "loses_a_row",
            "loses the first row of a table without keys",
            &["keyless", "every_value_null", "random_loads"],
            rows::loses_a_row,
        ),
        loading(
            "keeps_old_subrows",
            "writes new subrows beside the old ones",
            &["subrows_replaced", "subtables", "random_loads"],
            subrows::keeps_old_subrows,
        ),
        loading(
            "writes_stale_subrows",
            "writes the subrows of rows that it does not write",
            &["subrows_of_late_records", "subtables_stale"],
            subrows::writes_stale_subrows,
        ),
        loading(
            "replaces_all_subrows",
            "keeps the subrows of the last load alone",
            &["keyless_subtables", "subtables", "subtables_keyless"],
            subrows::replaces_all_subrows,
        ),
        loading(
            "first_key_alone",
            "takes rows whose first keys are equal for one when it replaces their subrows",
            &["subtables_deep"],
            subrows::first_key_alone,
        ),
        loading(
            "first_elements",
            "keeps the first element of each array",
            &[
                "arrays_of_objects",
                "scalar_elements",
                "arrays_in_arrays",
                "arrays_in_objects",
                "column_never_filled",
                "policy_discard_column",
                "subtables",
                "subtables_keyless",
            ],
            subrows::first_elements,
        ),
        loading(
            "fixed_subtables",
            "keeps nothing in the columns that subtables get later",
            &["new_column_at_end", "subtables_grow"],
            subrows::fixed_subtables,
        ),
        loading("skips_empty_loads", "does nothing when there are no rows", &["no_rows"], rows::skips_empty_loads),
        loading(
            "drops_rejects",
            "keeps no rejected records",
            &[
                "integer_out_of_range",
                "number_out_of_range",
                "decimal_out_of_range",
                "timestamp_out_of_range",
                "names_reserved_suffix",
                "field_collision",
                "policy_discard_record",
                "policy_reject",
                "rejected_records",
                "replay",
                "replay_versions",
                "rejected_each",
                "columns_redacted",
                "rejects",
            ],
            rows::drops_rejects,
        ),
        loading(
            "rounds_moments",
            "keeps moments to the millisecond",
            &["types", "date_times", "system_columns"],
            values::rounds_moments,
        ),
        loading(
            "through_double",
            "passes integers through doubles",
            &["undocumented_fields", "numbers_exact", "untyped_splits", "limits"],
            values::through_double,
        ),
        loading(
            "whole_doubles",
            "keeps of doubles what is before the point",
            &["number_out_of_range", "untyped_numbers"],
            values::whole_doubles,
        ),
        loading(
            "rounds_decimals",
            "passes decimals through doubles",
            &["decimal_scale", "decimal_text", "decimal_scale_splits", "limits"],
            values::rounds_decimals,
        ),
        loading(
            "widens_through_double",
            "passes what stands in a column that becomes wider through doubles",
            &["decimal_wider_scale", "policy_widen", "subtables_grow", "widened_columns"],
            values::widens_through_double,
        ),
        loading(
            "forgets_renamed",
            "keeps nothing of what stands in a column that is renamed",
            &["first_type_renamed", "subtables_grow", "renamed_columns"],
            values::forgets_renamed,
        ),
        loading("cuts_at_nul", "ends texts at the character NUL", &["nul_kept"], values::cuts_at_nul),
        loading(
            "null_keeps_the_old",
            "takes null for unchanged",
            &["nulls", "type_lists", "column_vanishes", "soft_delete", "soft_delete_then_upsert"],
            values::null_keeps_the_old,
        ),
        loading(
            "fills_new_columns",
            "fills new columns with a default",
            &["new_column_at_end", "policy_freeze"],
            values::fills_new_columns,
        ),
        loading(
            "drops_empty_columns",
            "makes no column before it has a value",
            &["declared_columns_stand"],
            values::drops_empty_columns,
        ),
        loading(
            "one_type_a_path",
            "keeps only the first type of a path",
            &["changed_types", "split_suffixes", "type_lists", "untyped_splits", "nesting_limit"],
            values::one_type_a_path,
        ),
        loading("narrow", "keeps the values of 500 columns", &["wide_table", "too_many_columns"], values::narrow),
        loading(
            "single_underscores",
            "writes `_` for `__`",
            &["duplicate_keys", "untyped_by_value", "nested_objects", "open_objects", "arrays_in_objects"],
            values::single_underscores,
        ),
        loading("lower_case", "writes names in lower case", &["names", "names_hostile"], values::lower_case),
        loading("short_names", "cuts names at 63 characters", &["column_name_too_long"], values::short_names),
        Twin {
            state: state::one_schema_state,
            ..loading("one_schema", "keeps all integrations in one place", &["integrations"], state::one_schema_load)
        },
        Twin {
            state: state::forgets_tables_state,
            ..loading(
                "forgets_tables",
                "knows no state when it is opened again",
                &[
                    "repeated_request",
                    "keyless_repeat",
                    "queue_recreated",
                    "second_queue",
                    "queue_restored",
                    "pause_and_resume",
                ],
                state::loads_anyway,
            )
        },
        Twin {
            state: state::state_elsewhere_state,
            ..loading(
                "state_elsewhere",
                "keeps its state in another place than its rows",
                &["destination_restored", "destination_lost"],
                state::state_elsewhere_load,
            )
        },
        loading("blind", "does not look what a load was planned on", &["stale", "applied_twice"], state::loads_anyway),
        Twin {
            state: state::short_numbers,
            ..loading("short_numbers", "keeps positions in 32 bits", &["positions"], soundly)
        },
        loading("counts_for_itself", "goes on from its own counts", &["counts"], state::counts_for_itself),
        loading("changes_first", "commits new columns before the rows", &["whole_or_nothing"], state::changes_first),
        loading("rows_first", "commits the rows before the position", &["crash"], state::rows_first),
        Twin {
            open: Memory::unlocked,
            ..loading("no_lock", "lets two load that do not see each other", &["two_writers"], soundly)
        },
        Twin {
            look: looking::two_moments,
            ..loading("two_moments", "shows rows and state of two moments", &["one_moment"], soundly)
        },
        Twin {
            look: looking::doubles,
            ..loading(
                "doubles",
                "holds rows twice",
                &[
                    "upsert",
                    "key_limits",
                    "bad_record",
                    "names_reserved",
                    "table_name_too_long",
                    "declared_columns_wait",
                    "random_loads",
                    "limits",
                    "wide_table",
                ],
                soundly,
            )
        },
        removing(
            "removes_nothing",
            "says that it removed what it did not",
            &["remove_table", "remove_rejects", "remove_old_rejects", "rekey", "reset", "drop_table", "purge"],
            removals::removes_nothing,
        ),
        removing(
            "removal_leaves_tombstones",
            "removes rows and leaves tombstones",
            &["remove_keys", "purge"],
            removals::removal_leaves_tombstones,
        ),
        removing(
            "removal_leaves_subrows",
            "removes rows and leaves their subrows",
            &["remove_keys", "purge"],
            removals::removal_leaves_subrows,
        ),
        removing(
            "removes_all_rejects",
            "removes rejected records however new they are",
            &["remove_old_rejects"],
            removals::removes_all_rejects,
        ),
        removing(
            "removes_blindly",
            "does not look whether somebody loaded meanwhile",
            &["remove_stale"],
            removals::removes_blindly,
        ),
        removing("keeps_backups", "keeps a copy of what it removes", &["removed_for_good"], removals::keeps_backups),
        loading("grows", "holds its tables in memory", &["bounded_memory"], soundly),
    ]
}
