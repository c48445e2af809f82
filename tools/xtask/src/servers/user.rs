//! The user that a server runs as when this program runs as root. PostgreSQL refuses root, and the
//! others do not need its rights.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// An ordinary user of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    uid: u32,
    gid: u32,
}

// === impl User ===

impl User {
    /// The first of the names that exists; none when this program is not root's and everything can
    /// stay its own.
    pub(crate) fn to_run_as(names: &[&str]) -> Result<Option<Self>> {
        if !is_root() {
            return Ok(None);
        }
        let passwd =
            std::fs::read_to_string("/etc/passwd").context("/etc/passwd cannot be read")?;
        let user = names.iter().find_map(|name| find(&passwd, name));
        Ok(Some(user.with_context(|| {
            format!("none of the users {} exists", names.join(", "))
        })?))
    }

    pub(crate) fn give(&self, path: &Path) -> Result<()> {
        std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid))
            .with_context(|| format!("{} cannot be given away", path.display()))
    }

    /// Makes a command run as this user, without root's other groups.
    pub(crate) fn run(&self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }
}

pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn find(passwd: &str, name: &str) -> Option<User> {
    let line = passwd
        .lines()
        .find(|line| line.split(':').next() == Some(name))?;
    let mut ids = line.split(':').skip(2).map(str::parse);
    Some(User {
        uid: ids.next()?.ok()?,
        gid: ids.next()?.ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_the_whole_name() {
        let passwd = "daemon:x:1:1:daemon:/usr/sbin:/bin/sh\npostgres:x:101:104:PostgreSQL,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(find(passwd, "postgres"), Some(User { uid: 101, gid: 104 }));
        assert_eq!(find(passwd, "post"), None);
    }
}
