//! A Postgres server in a container.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::StreamExt;
use sqlx::{Connection, PgConnection};
use testcontainers::{
    ContainerAsync, GenericImage, ImageExt,
    bollard::{
        Docker,
        query_parameters::{CreateImageOptionsBuilder, RemoveContainerOptionsBuilder},
    },
    core::{IntoContainerPort, client::docker_client_instance},
    runners::AsyncRunner,
};
use tokio::time::{interval, timeout};

use super::{
    cluster::new_password,
    settings::{IMAGE, INITDB, script, server_settings, variable},
};

const OFFICIAL_IMAGE: &str = "postgres:17";
const LOCAL_IMAGE: &str = "selfext-postgres:local";

/// How long the daemon may say nothing, in answer to a ping.
const PING_SILENCE: Duration = Duration::from_secs(5);
/// How long the daemon may say nothing while it pulls. A slow network still shows progress; a missing one does not.
const PULL_SILENCE: Duration = Duration::from_secs(20);
const STARTUP: Duration = Duration::from_secs(90);

/// A running container, removed by [`PostgresContainer::stop`].
#[derive(Debug)]
pub(super) struct PostgresContainer {
    container: ContainerAsync<GenericImage>,
    pub(super) image: String,
    pub(super) url: String,
}

/// Whether a Docker daemon answers.
pub(super) async fn docker_answers() -> bool {
    find_docker().await.is_ok()
}

async fn find_docker() -> Result<Docker> {
    let docker = docker_client_instance().await.context("no Docker daemon is configured")?;
    timeout(PING_SILENCE, docker.ping())
        .await
        .context("the Docker daemon does not answer")?
        .context("no Docker daemon answers")?;
    Ok(docker)
}

/// Removes the container of this name, if there is one: for a start that was cut short.
pub(super) async fn remove(name: &str) {
    if let Ok(docker) = find_docker().await {
        let with_its_volume = RemoveContainerOptionsBuilder::new().force(true).v(true);
        // An error means that the container was never made.
        let _ = docker.remove_container(name, Some(with_its_volume.build())).await;
    }
}

impl PostgresContainer {
    /// Starts a container of this name; it takes connections when this returns.
    pub(super) async fn start(name: &str) -> Result<Self> {
        let docker = find_docker().await?;
        let image = find_image(&docker).await?;
        let (repository, tag) = split_tag(&image);
        let password = new_password();
        let mut arguments = vec!["postgres".to_owned()];
        for (name, value) in server_settings() {
            arguments.extend(["-c".to_owned(), format!("{name}={value}")]);
        }
        let container = GenericImage::new(repository, tag)
            .with_exposed_port(5432.tcp())
            .with_container_name(name)
            .with_label("selfext.test", "postgres")
            .with_env_var("POSTGRES_PASSWORD", &password)
            .with_env_var("POSTGRES_INITDB_ARGS", INITDB.join(" "))
            .with_shm_size(256 << 20)
            .with_cmd(arguments)
            .start()
            .await
            .with_context(|| format!("no container starts from the image {image}"))?;
        let host = container.get_host().await.context("where does Docker run?")?;
        let port = container.get_host_port_ipv4(5432).await.context("the container publishes no port")?;
        let started = Self { container, image, url: format!("postgres://postgres:{password}@{host}:{port}/postgres") };
        match timeout(STARTUP, started.ready()).await {
            Ok(Ok(())) => Ok(started),
            Ok(Err(error)) => Err(error),
            Err(_) => {
                bail!("the server in the container of {} takes no connection{}", started.image, started.log().await)
            }
        }
    }

    async fn ready(&self) -> Result<()> {
        let mut ticks = interval(Duration::from_millis(100));
        loop {
            ticks.tick().await;
            if let Ok(connection) = PgConnection::connect(&self.url).await {
                return connection.close().await.context("the server drops its connections");
            }
            ensure!(
                self.container.is_running().await.unwrap_or(false),
                "the container of {} has ended{}",
                self.image,
                self.log().await,
            );
        }
    }

    async fn log(&self) -> String {
        let log = self.container.stderr_to_vec().await.unwrap_or_default();
        format!(": {}", String::from_utf8_lossy(&log).trim())
    }

    /// Stops the server and removes the container with its volume.
    pub(super) async fn stop(self) -> Result<()> {
        self.container.rm().await.context("the container cannot be removed")
    }
}

/// The image that the environment names; else the official one, or the local one that stands in for it.
async fn find_image(docker: &Docker) -> Result<String> {
    if let Some(named) = variable(IMAGE) {
        if docker.inspect_image(&named).await.is_err() {
            pull(docker, &named).await?;
        }
        return Ok(named);
    }
    for image in [OFFICIAL_IMAGE, LOCAL_IMAGE] {
        if docker.inspect_image(image).await.is_ok() {
            return Ok(image.to_owned());
        }
    }
    match pull(docker, OFFICIAL_IMAGE).await {
        Ok(()) => Ok(OFFICIAL_IMAGE.to_owned()),
        Err(error) => {
            eprintln!("{error:#}; making {LOCAL_IMAGE} from this machine's packages");
            make_local_image().await?;
            Ok(LOCAL_IMAGE.to_owned())
        }
    }
}

async fn pull(docker: &Docker, image: &str) -> Result<()> {
    let (repository, tag) = split_tag(image);
    let options = CreateImageOptionsBuilder::new().from_image(repository).tag(tag).build();
    eprintln!("pulling {image}");
    let mut progress = docker.create_image(Some(options), None, None);
    while let Some(step) =
        timeout(PULL_SILENCE, progress.next()).await.with_context(|| format!("pulling {image} makes no progress"))?
    {
        step.with_context(|| format!("{image} cannot be pulled"))?;
    }
    Ok(())
}

async fn make_local_image() -> Result<()> {
    let status = tokio::process::Command::new(script("postgres-image"))
        .arg(LOCAL_IMAGE)
        .kill_on_drop(true)
        .status()
        .await
        .context("cannot run scripts/postgres-image")?;
    ensure!(status.success(), "scripts/postgres-image failed ({status})");
    Ok(())
}

/// An image's name and its tag. A colon before the last slash belongs to the port of a registry.
fn split_tag(image: &str) -> (&str, &str) {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::split_tag;

    #[test]
    fn a_registrys_port_is_not_taken_for_a_tag() {
        assert_eq!(split_tag("postgres:17"), ("postgres", "17"));
        assert_eq!(split_tag("postgres"), ("postgres", "latest"));
        assert_eq!(split_tag("registry.example:5000/postgres"), ("registry.example:5000/postgres", "latest"));
        assert_eq!(split_tag("registry.example:5000/postgres:17"), ("registry.example:5000/postgres", "17"));
    }
}
