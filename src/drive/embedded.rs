//! Runs against the embedded reference server: one costs nothing to start, so that each revision gets its own, and all
//! are played at once.

use std::sync::mpsc;
use std::thread;

use super::run::{Observer, Progress, RunError, Subject, record_in_turn};
use crate::reference::Config;
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::target::Target;
use crate::trace::store::Recording;

/// What goes on in one of them.
enum News {
    Surveying(Revision),
    Playing(Revision, Scenario, usize),
    Stopped(Scenario, String),
}

/// Tells the others of it.
struct Messenger(mpsc::Sender<News>);

impl Observer for Messenger {
    fn progress(&mut self, progress: Progress<'_>) {
        let news = match progress {
            Progress::Surveying(revision) => News::Surveying(revision),
            Progress::Playing { revision, scenario, of, .. } => News::Playing(revision, scenario, of),
            Progress::Stopped { scenario, why } => News::Stopped(scenario, why.to_owned()),
            Progress::Starting | Progress::Again(_) => return,
        };
        // Whoever listens stays as long as anybody speaks.
        let _ = self.0.send(news);
    }
}

/// Tests an embedded server in each of the revisions.
pub(super) fn record(subject: Subject, config: &Config, observer: &mut dyn Observer) -> Result<Recording, RunError> {
    observer.progress(Progress::Starting);
    let (sender, news) = mpsc::channel();
    let parts = thread::scope(|scope| {
        let parts: Vec<_> = subject
            .revisions
            .iter()
            .map(|revision| {
                let (mut messenger, part) = (Messenger(sender.clone()), part(&subject, config, *revision));
                scope.spawn(move || record_in_turn(part, &mut messenger))
            })
            .collect();
        drop(sender);
        tell(&news, observer);
        parts.into_iter().map(|part| part.join().expect("a run does not panic")).collect::<Vec<_>>()
    });
    let mut parts = parts.into_iter();
    let mut whole = parts.next().ok_or(RunError::Interrupted)??;
    for part in parts {
        let Recording { manifest, traces } = part?;
        whole.manifest.revisions.extend(manifest.revisions);
        whole.manifest.target.server = whole.manifest.target.server.or(manifest.target.server);
        whole.manifest.floor = whole.manifest.floor.or(manifest.floor);
        whole.manifest.incomplete = whole.manifest.incomplete.or(manifest.incomplete);
        traces.into_iter().for_each(|trace| whole.push(trace));
    }
    Ok(whole)
}

fn part(subject: &Subject, config: &Config, revision: Revision) -> Subject {
    Subject {
        target: Target::Reference(config.clone()),
        revisions: vec![revision],
        options: subject.options.clone(),
        roles: subject.roles.clone(),
        experiments: subject.experiments,
        permission: subject.permission.clone(),
        given: subject.given.clone(),
        interrupt: subject.interrupt.clone(),
    }
}

/// Passes on what goes on, counted over all of them.
fn tell(news: &mpsc::Receiver<News>, observer: &mut dyn Observer) {
    let (mut done, mut plans) = (0, Vec::new());
    for news in news {
        match news {
            News::Surveying(revision) => observer.progress(Progress::Surveying(revision)),
            News::Playing(revision, scenario, of) => {
                if !plans.contains(&(revision, of)) {
                    plans.push((revision, of));
                }
                let of = plans.iter().map(|(_, of)| of).sum();
                observer.progress(Progress::Playing { revision, scenario, done, of });
                done += 1;
            }
            News::Stopped(scenario, why) => observer.progress(Progress::Stopped { scenario, why: &why }),
        }
    }
}
