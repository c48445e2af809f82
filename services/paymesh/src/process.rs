//! One process: start, ready, drain, end.

use std::{
    fs::{self, File},
    future::Future,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt as _,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use axum::Router;
use paymesh_bus::Bus;
use paymesh_chassis::{
    ConfigError, Health, Platform, admin,
    health::Serving,
    telemetry::{self, LogLevel},
};
use paymesh_kernel::Tasks;
use paymesh_mesh::{Keys, Mesh, serve};
use tokio::net::TcpListener;

use crate::{
    sandbox::{self, Sandbox, Simulated},
    wiring::{self, Config, Mode, Plan, Share, Sockets, Surroundings},
};

/// Tasks that do not end in this time are left to the operating system.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(10);

/// A platform that runs in this process.
#[derive(Debug)]
pub struct Running {
    /// Address of REST, when the gateway runs here.
    pub gateway: Option<SocketAddr>,
    /// Address of probes and metrics.
    pub admin: SocketAddr,
    /// The sandbox, all in one.
    pub sandbox: Option<Sandbox>,
    /// The simulated provider and bank, all in one.
    pub simulated: Option<Simulated>,
    /// What the components share.
    pub platform: Platform,
    /// Servers, which end before everything else.
    front: Tasks,
    drain: Duration,
    /// Held as long as the process uses the data folder.
    _lock: Option<File>,
}

/// Runs until a signal or a failure.
///
/// # Errors
/// When the start fails or a task dies.
pub fn run(config: Config, mode: Mode) -> anyhow::Result<()> {
    let level = telemetry::init(&config.process.log).map_err(|error| ConfigError::Rule {
        field: "process.log.level".to_owned(),
        rule: error.to_string(),
    })?;
    let plan = mode.plan(config)?;
    block_on_threads(plan.threads, async {
        let started = Instant::now();
        let running = start(plan, level).await?;
        crate::cli::say(&running.banner(started.elapsed()));
        let died = tokio::select! {
            name = running.died() => Some(name),
            () = signalled() => None,
        };
        running.stop().await;
        match died {
            Some(name) => anyhow::bail!("the task {name} died; the log says why"),
            None => Ok(()),
        }
    })
}

/// Runs a future on a runtime of its own.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    block_on_threads(cores(), work)
}

/// Processors that this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn block_on_threads<T>(
    threads: usize,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    // A second provider would be a defect of ours; the first one stays.
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .ok();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()?;
    let result = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

/// Starts everything that the plan names and returns when it is ready.
///
/// # Errors
/// When anything is not as it should be; what was started ends again.
pub async fn start(plan: Plan, level: LogLevel) -> anyhow::Result<Running> {
    let process = plan.config.process.clone();
    let lock = if process.uses_files() {
        Some(lock(&process.data_dir)?)
    } else {
        None
    };
    let platform = platform(&plan.config, &plan.components).await?;
    let mut running = Running {
        gateway: None,
        admin: SocketAddr::new(process.listen.address, 0),
        sandbox: None,
        simulated: None,
        front: Tasks::new(),
        drain: Duration::from_millis(process.drain_ms),
        platform,
        _lock: lock,
    };
    match running.come_up(plan, level).await {
        Ok(()) => Ok(running),
        Err(error) => {
            running.stop().await;
            Err(error)
        }
    }
}

/// What components share, with none of them running yet.
///
/// # Errors
/// When keys or the broker cannot be used.
pub(crate) async fn platform(
    config: &Config,
    components: &[&'static str],
) -> anyhow::Result<Platform> {
    let process = &config.process;
    let keys = if process.keys.signing_file.as_os_str().is_empty() {
        Keys::load_or_create(&process.data_dir.join("signing.pem"))?
    } else {
        Keys::load(&process.keys.signing_file)?
    };
    let share = Share::of_a_process();
    let Share { clock, ids, tasks } = share.clone();
    let bus = wiring::bus(config, share).await?;
    let (health, broker) = (Health::default(), bus.clone());
    health.note(move || {
        (!broker.is_connected()).then(|| "the broker is away; events wait in outboxes".to_owned())
    });
    Ok(Platform {
        bus,
        mesh: Mesh::new(config.mesh.clone(), components),
        keys,
        health,
        data_dir: process.data_dir.clone(),
        instance: process.instance(),
        clock,
        ids,
        tasks,
    })
}

// === impl Running ===

impl Running {
    async fn come_up(&mut self, plan: Plan, level: LogLevel) -> anyhow::Result<()> {
        let process = plan.config.process.clone();
        let admin = admin::router(self.platform.health.clone(), level);
        self.admin = self
            .listen(process.listen.admin_port, admin, &plan.config)
            .await?;
        self.launch(plan).await?;
        self.platform.health.set_serving(Serving::Yes);
        self.write_ready(&process.ready_file)
    }

    async fn launch(&mut self, plan: Plan) -> anyhow::Result<()> {
        let Plan {
            components,
            mut config,
            sockets,
            surroundings,
            threads: _,
        } = plan;
        let port = config.process.listen.gateway_port;
        let has_gateway = components.contains(&GATEWAY);
        let gateway = if has_gateway {
            Some(bind(&config, port).await?)
        } else {
            None
        };
        let mut access = None;
        if let (Surroundings::Simulated, Some(gateway)) = (surroundings, &gateway) {
            let address = gateway.local_addr()?;
            let simulated = sandbox::start_simulators(&mut config, address, &self.platform).await?;
            self.simulated = Some(simulated);
            access = Some(sandbox::first_access(&config, &self.platform).await?);
        }
        let mut launched = Vec::with_capacity(components.len());
        for name in components {
            launched.extend(wiring::launch_by_name(name, &config, &self.platform).await?);
        }
        let mut rest = Router::new();
        for component in launched {
            let name = component.name;
            let (port, router) = component.start()?;
            if name == GATEWAY {
                rest = router;
            } else if sockets == Sockets::Each {
                let port = config
                    .process
                    .listen
                    .ports
                    .get(name)
                    .copied()
                    .unwrap_or(port);
                self.listen(port, router, &config).await?;
            }
        }
        if let Some(access) = access {
            self.sandbox = Some(sandbox::prepare(&self.platform, &access).await?);
        }
        if let Some(gateway) = gateway {
            self.gateway = Some(self.serve(gateway, rest, &config)?);
        }
        Ok(())
    }

    async fn listen(
        &self,
        port: u16,
        router: Router,
        config: &Config,
    ) -> anyhow::Result<SocketAddr> {
        self.serve(bind(config, port).await?, router, config)
    }

    fn serve(
        &self,
        listener: TcpListener,
        router: Router,
        config: &Config,
    ) -> anyhow::Result<SocketAddr> {
        let address = listener.local_addr()?;
        let limits = config.process.listen.limits.clone();
        self.front.spawn(
            "server",
            serve(listener, router, limits, self.front.clone()),
        );
        Ok(address)
    }

    /// Tells who started the process where it is: addresses, and the sandbox's key.
    fn write_ready(&self, file: &Path) -> anyhow::Result<()> {
        let ready = serde_json::json!({
            "gateway": self.gateway.map(|address| address.to_string()),
            "admin": self.admin.to_string(),
            "api_key": self.sandbox.as_ref().map(|sandbox| sandbox.api_key.expose()),
        });
        write_ready(file, &ready)
    }

    /// Waits until a task has died; gives its name.
    pub(crate) async fn died(&self) -> &'static str {
        tokio::select! {
            name = self.platform.tasks.died() => name,
            name = self.front.died() => name,
        }
    }

    /// Not ready → servers end their calls → everything else ends.
    pub async fn stop(self) {
        self.platform.health.set_serving(Serving::No);
        if !self.front.stop(self.drain).await {
            tracing::warn!("calls were still under way at the end of the drain");
        }
        if !self.platform.tasks.stop(STOP_GRACE).await {
            tracing::warn!("background tasks did not end in time");
        }
    }

    /// What a person reads when everything is ready.
    fn banner(&self, took: Duration) -> String {
        let mut lines = vec![format!(
            "Paymesh {} is ready after {:.2} s.",
            env!("CARGO_PKG_VERSION"),
            took.as_secs_f64()
        )];
        if let Some(gateway) = self.gateway {
            lines.push(format!(
                "  REST    http://{gateway}   documentation at http://{gateway}/docs"
            ));
        }
        lines.push(format!(
            "  health  http://{}/health   metrics at /metrics",
            self.admin
        ));
        if let (Some(sandbox), Some(gateway)) = (&self.sandbox, self.gateway) {
            lines.push(sandbox.first_payment(gateway));
        }
        lines.join("\n")
    }
}

const GATEWAY: &str = "gateway";

async fn bind(config: &Config, port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::new(config.process.listen.address, port);
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; stop what listens there, or set another port in process.listen")
    })
}

/// Tells who started the process that it is ready. Nobody is told when the path is empty.
pub(crate) fn write_ready(file: &Path, ready: &serde_json::Value) -> anyhow::Result<()> {
    if file.as_os_str().is_empty() {
        return Ok(());
    }
    sandbox::write_private(file, &ready.to_string())
}

/// Makes a folder that its owner alone may look into; one that exists stays as it is.
pub(crate) fn make_private(folder: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("the data folder {} cannot be made", folder.display()))
}

/// Makes the data folder and keeps a second process out of it.
pub(crate) fn lock(folder: &Path) -> anyhow::Result<File> {
    make_private(folder)?;
    let file = File::create(folder.join("lock"))?;
    file.try_lock().with_context(|| {
        format!(
            "another process uses the data folder {}; stop it, or choose another with --data-dir",
            folder.display()
        )
    })?;
    Ok(file)
}

/// Waits for SIGTERM or SIGINT.
pub(crate) async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        tracing::error!("signals cannot be watched");
        return;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

/// The bus in use, for the command line and tests.
impl AsRef<Bus> for Running {
    fn as_ref(&self) -> &Bus {
        &self.platform.bus
    }
}
