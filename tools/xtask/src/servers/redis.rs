//! Redis from a program on this machine. It keeps nothing on disk: what Paymesh has there may be
//! lost at any time.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::guard::Signal;
use crate::servers::ground::{Ground, find_program, free_address};
use crate::servers::user::User;
use crate::servers::{Kind, Started, ready};

pub(crate) fn program() -> Option<PathBuf> {
    find_program("redis-server", &[PathBuf::from("/usr/bin")])
}

pub(crate) fn start(ground: &mut Ground<'_>) -> Result<Started> {
    let program = program().context("the program is gone")?;
    let folder = ground.folder("redis", User::to_run_as(&["redis", "nobody"])?)?;
    let address = free_address()?;
    let mut command = folder.keep(&program);
    command.args(["--bind", "127.0.0.1", "--port", &address.port().to_string()]);
    command
        .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
        .arg("--dir")
        .arg(&folder.path);
    let mut running = ground.spawn(&mut command, &folder, Signal::Term)?;
    ready::wait(Kind::Redis, address, &mut running)?;
    Ok(Started {
        url: format!("redis://{address}"),
        pid_file: Some(folder.pid_file()),
        about: format!("{} on {address}", program.display()),
    })
}
