//! Hostile candidates, one file each, named after its attack.
//!
//! Each is made on this machine, and on what it would be without namespaces, without Landlock, and
//! without any of these and control groups. Where a
//! wall cannot stand, the report must say so.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "everything here is a test")]

mod alters_the_cache;
mod changes_settings_of_the_kernel;
mod connects_to_a_local_socket;
mod connects_to_the_host_of_a_virtual_machine;
mod connects_to_the_network;
mod escapes_by_a_submodule;
mod escapes_by_dots_in_a_path;
mod fills_the_disk;
mod fills_the_memory;
mod fills_the_memory_with_many;
mod fills_the_output;
mod fork_bomb;
mod forks_a_daemon;
mod ground;
mod ignores_sigterm;
mod installs_a_git_hook;
mod kills_its_parent;
mod prints_control_sequences_and_mentions;
mod reads_a_token_from_proc;
mod reads_a_token_from_the_credentials_folder;
mod reads_a_token_from_the_environment;
mod reads_or_writes_the_ledger;
mod sleeps_for_ever_holding_the_output;
mod spoils_prepared_dependencies;
mod writes_outside;
