//! What can compute here, asked once.

use sanbao_contract::Fault;
use sanbao_contract::model::DeviceReport;
use sanbao_contract::rpc::Event;
use sanbao_contract::worker::{Job, Message};
use sanbao_worker::{Ended, supervise};
use tokio::sync::OnceCell;

use crate::App;

/// The devices, once they are measured.
#[derive(Default)]
pub struct Machine {
    devices: OnceCell<Vec<DeviceReport>>,
}

impl App {
    /// Every device, measured when first asked for. A driver that crashes costs a child process.
    pub(crate) async fn devices(&self) -> Result<Vec<DeviceReport>, Fault> {
        let measure = || async {
            let stop = std::future::pending();
            match supervise(&self.0.program, Job::Devices, stop, &mut |_| ()).await? {
                Ended::Done(Message::Devices { devices }) => Ok(devices),
                _ => Err(Fault::new("app.stopped", "looking at the devices was stopped")),
            }
        };
        self.0.machine.devices.get_or_try_init(measure).await.cloned()
    }

    /// Runs a job of a project in a child process, telling how far it is.
    pub(crate) async fn work(
        &self,
        project: &str,
        of: &str,
        job: Job,
        stop: impl Future<Output = ()>,
    ) -> Result<Ended, Fault> {
        let mut pace = Pace::default();
        let ended = supervise(&self.0.program, job, stop, &mut |message| {
            if let Message::Progress(progress) = message
                && (progress.done == progress.total || pace.allows())
            {
                self.tell(Event::Progress {
                    project: project.to_owned(),
                    of: of.to_owned(),
                    progress: progress.clone(),
                });
            }
        })
        .await?;
        Ok(ended)
    }
}

/// Lets pass at most ten a second.
#[derive(Default)]
pub struct Pace(Option<std::time::Instant>);

impl Pace {
    /// Whether the next one may pass.
    pub fn allows(&mut self) -> bool {
        let due = self.0.is_none_or(|last| last.elapsed().as_millis() >= 100);
        if due {
            self.0 = Some(std::time::Instant::now());
        }
        due
    }
}
