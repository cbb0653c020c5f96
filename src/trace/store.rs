//! A recording on disk: `manifest.json`, and one file of JSON lines per trace.
//!
//! A trace file holds the head, then one event per line, then `{"end": N}` with the number of events, so that
//! a file that was cut off is seen as such.

use std::fs;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Event, Trace, TraceHead};
use crate::manifest::{FORMAT, Manifest};

const MANIFEST: &str = "manifest.json";
const TRACES: &str = "traces";

/// A manifest and its traces: all that a judgement stands on.
#[derive(Clone, Debug)]
pub struct Recording {
    /// How it came about.
    pub manifest: Manifest,
    /// The traces, in the order of playing.
    pub traces: Vec<Trace>,
}

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no manifest.
    #[error("{0} is not a recording: it has no manifest.json")]
    NotARecording(PathBuf),
    /// It was written in another format.
    #[error("{path} was recorded in format {found} by mcpwire {tool}; this version reads format {FORMAT} only")]
    OtherFormat {
        /// The recording.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// What wrote it.
        tool: String,
    },
    /// A file is cut off.
    #[error("{0} is cut off: the recording was not finished, or was copied in part")]
    Truncated(PathBuf),
    /// A file holds something else.
    #[error("{path}, line {line}: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The parser's words.
        reason: String,
    },
    /// The system refused.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Its words.
        source: io::Error,
    },
}

/// Why a recording cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The system refused.
    #[error("cannot write {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Its words.
        source: io::Error,
    },
    /// Something else is there.
    #[error("cannot record into {0}: it holds something that is no recording (choose an empty or a new folder)")]
    InUse(PathBuf),
}

/// Makes the folder of a recording, and refuses one that holds anything else: writing replaces what is there.
///
/// # Errors
///
/// Where something else is there, or the system refuses.
pub fn may_write(folder: &Path) -> Result<(), WriteError> {
    let failed = |source| WriteError::Io { path: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(failed)?;
    let is_empty = fs::read_dir(folder).map_err(failed)?.next().is_none();
    // One of another format is still a recording.
    let is_recording = || matches!(read_manifest(folder), Ok(_) | Err(ReadError::OtherFormat { .. }));
    match is_empty || is_recording() {
        true => Ok(()),
        false => Err(WriteError::InUse(folder.to_owned())),
    }
}

#[derive(Serialize, Deserialize)]
struct TraceEnd {
    end: usize,
}

impl Recording {
    /// Writes the recording into a folder, which is made where it is missing. Files of an earlier recording
    /// there are replaced.
    ///
    /// # Errors
    ///
    /// Where the system refuses.
    pub fn write(&self, folder: &Path) -> Result<(), WriteError> {
        let traces = folder.join(TRACES);
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| WriteError::Io { path, source }
        };
        may_write(folder)?;
        let manifest = folder.join(MANIFEST);
        if manifest.exists() {
            fs::remove_file(&manifest).map_err(failed(&manifest))?;
        }
        if traces.exists() {
            fs::remove_dir_all(&traces).map_err(failed(&traces))?;
        }
        fs::create_dir_all(&traces).map_err(failed(&traces))?;
        for (trace, name) in self.traces.iter().zip(self.file_names()) {
            let path = traces.join(name);
            write_trace(&path, trace).map_err(failed(&path))?;
        }
        // Last, so that a folder with a manifest is a whole recording.
        let path = folder.join(MANIFEST);
        let manifest = serde_json::to_vec_pretty(&self.manifest).map_err(io::Error::from).map_err(failed(&path))?;
        fs::write(&path, manifest).map_err(failed(&path))
    }

    /// Reads a recording.
    ///
    /// # Errors
    ///
    /// Where there is none, where it is cut off or damaged, and where its format is another one.
    pub fn read(folder: &Path) -> Result<Self, ReadError> {
        Self::read_where(folder, &|_| true)
    }

    /// Reads those traces of a recording whose heads are wanted; the others are not looked at any further.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_where(folder: &Path, wanted: &dyn Fn(&TraceHead) -> bool) -> Result<Self, ReadError> {
        let manifest = read_manifest(folder)?;
        let mut traces = Vec::new();
        for name in &manifest.traces {
            if name.contains(['/', '\\']) {
                let reason = format!("`{name}` is not the name of a file in its folder");
                return Err(ReadError::Malformed { path: folder.join(MANIFEST), line: 1, reason });
            }
            traces.extend(read_trace(&folder.join(TRACES).join(name), wanted)?);
        }
        Ok(Self { manifest, traces })
    }

    /// Adds a trace.
    pub fn push(&mut self, trace: Trace) {
        self.traces.push(trace);
        self.manifest.traces = self.file_names().collect();
    }

    /// Puts the traces in another order.
    pub fn sort_by_key<K: Ord>(&mut self, key: impl Fn(&Trace) -> K) {
        self.traces.sort_by_key(key);
        self.manifest.traces = self.file_names().collect();
    }

    fn file_names(&self) -> impl Iterator<Item = String> {
        self.traces
            .iter()
            .enumerate()
            .map(|(index, trace)| format!("{index:02}-{}.jsonl", trace.name().replace('/', "-")))
    }
}

fn write_trace(path: &Path, trace: &Trace) -> io::Result<()> {
    let mut file = BufWriter::new(fs::File::create(path)?);
    let mut line = |value: serde_json::Result<String>| -> io::Result<()> { writeln!(file, "{}", value?) };
    line(serde_json::to_string(&trace.head))?;
    for event in &trace.events {
        line(serde_json::to_string(event))?;
    }
    line(serde_json::to_string(&TraceEnd { end: trace.events.len() }))?;
    file.flush()
}

fn read_manifest(folder: &Path) -> Result<Manifest, ReadError> {
    #[derive(Deserialize)]
    struct Versions {
        format: u64,
        #[serde(default)]
        tool: String,
    }

    let path = folder.join(MANIFEST);
    let text = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound || error.kind() == io::ErrorKind::NotADirectory => {
            return Err(ReadError::NotARecording(folder.to_owned()));
        }
        Err(source) => return Err(ReadError::Io { path, source }),
        Ok(text) => text,
    };
    let malformed = |error: serde_json::Error| match error.is_eof() {
        true => ReadError::Truncated(path.clone()),
        false => ReadError::Malformed { path: path.clone(), line: error.line(), reason: error.to_string() },
    };
    // The version first: another format may have another shape.
    let versions: Versions = serde_json::from_slice(&text).map_err(malformed)?;
    if versions.format != FORMAT {
        return Err(ReadError::OtherFormat { path: folder.to_owned(), found: versions.format, tool: versions.tool });
    }
    serde_json::from_slice(&text).map_err(malformed)
}

/// `None` where its head is not wanted.
fn read_trace(path: &Path, wanted: &dyn Fn(&TraceHead) -> bool) -> Result<Option<Trace>, ReadError> {
    let io = |source| ReadError::Io { path: path.to_owned(), source };
    let malformed = |line: usize, error: serde_json::Error| match error.is_eof() {
        true => ReadError::Truncated(path.to_owned()),
        false => ReadError::Malformed { path: path.to_owned(), line, reason: error.to_string() },
    };
    let file = match fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ReadError::Truncated(path.to_owned())),
        Err(source) => return Err(io(source)),
        Ok(file) => file,
    };
    let mut lines = BufReader::new(file).lines().enumerate();
    let head: TraceHead = match lines.next() {
        None => return Err(ReadError::Truncated(path.to_owned())),
        Some((_, line)) => serde_json::from_str(&line.map_err(io)?).map_err(|error| malformed(1, error))?,
    };
    if !wanted(&head) {
        return Ok(None);
    }
    let mut events: Vec<Event> = Vec::new();
    for (index, line) in lines {
        let line = line.map_err(io)?;
        if let Ok(TraceEnd { end }) = serde_json::from_str(&line) {
            return match end == events.len() {
                true => Ok(Some(Trace::new(head, events))),
                false => Err(ReadError::Truncated(path.to_owned())),
            };
        }
        events.push(serde_json::from_str(&line).map_err(|error| malformed(index + 1, error))?);
    }
    Err(ReadError::Truncated(path.to_owned()))
}
