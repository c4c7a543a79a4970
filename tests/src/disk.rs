//! What a power failure leaves of a folder.
//!
//! Every call that changed the folder was recorded by the shim, with the bytes of all writes. So it is known what was there,
//! and what of it was durable: the content of a file as of its last fsync, and the entries of a folder as of its own. What
//! came after may be on the disk or not, as the [`Loss`] has it. An fsync that failed makes nothing durable that was written
//! before it, even if a later one succeeds: that is how Linux has it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::failure::Failure;
use crate::names::{name_of, named};
use crate::random::Random;
use crate::shim::Record;

/// What becomes of what was not durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// None of it is there.
    Dropped,
    /// Each page of 4 KiB is as it was or as it is; of what happened in each folder, the first steps are there.
    Torn,
    /// Each write is there or not, whatever came after it; of what happened in each folder, the first steps are there.
    Reordered,
}

const LOSSES: [(Loss, &str); 3] = [(Loss::Dropped, "dropped"), (Loss::Torn, "torn"), (Loss::Reordered, "reordered")];

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name_of(self, &LOSSES))
    }
}

impl FromStr for Loss {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        named(text, &LOSSES)
    }
}

const PAGE_BYTES: usize = 4096;

/// A folder, with all that was in it since it was watched.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    files: Vec<File>,
    /// The first is the root.
    folders: Vec<Folder>,
    by_inode: HashMap<u64, usize>,
}

#[derive(Debug, Default)]
struct File {
    durable: Vec<u8>,
    live: Vec<u8>,
    /// What came since it was durable.
    pending: Vec<Change>,
}

#[derive(Debug)]
struct Change {
    what: Content,
    /// An fsync of it failed: it never becomes durable.
    is_given_up: bool,
}

#[derive(Debug, Clone)]
enum Content {
    Bytes { at: usize, bytes: Vec<u8> },
    Length(usize),
}

#[derive(Debug, Default)]
struct Folder {
    durable: Entries,
    live: Entries,
    /// What came since it was durable: steps of one or two entries that are set or gone.
    pending: Vec<Vec<(String, Option<Entry>)>>,
}

type Entries = BTreeMap<String, Entry>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    File(usize),
    Folder(usize),
    Link(String),
}

impl Disk {
    /// A folder as it stands, all of it durable.
    pub(crate) fn of(root: &Path) -> Result<Self, Failure> {
        let mut disk = Self { folders: vec![Folder::default()], ..Self::default() };
        disk.take_in(0, root)?;
        Ok(disk)
    }

    fn take_in(&mut self, folder: usize, path: &Path) -> Result<(), Failure> {
        for found in fs::read_dir(path)? {
            let found = found?;
            let (name, kind) = (found.file_name().to_string_lossy().into_owned(), found.file_type()?);
            let entry = if kind.is_symlink() {
                Entry::Link(fs::read_link(found.path())?.to_string_lossy().into_owned())
            } else if kind.is_dir() {
                let inner = self.new_folder();
                self.take_in(inner, &found.path())?;
                Entry::Folder(inner)
            } else {
                Entry::File(self.file_as_it_stands(&found.path())?)
            };
            self.folder(folder)?.durable.insert(name.clone(), entry.clone());
            self.folder(folder)?.live.insert(name, entry);
        }
        Ok(())
    }

    /// A file may have several names.
    fn file_as_it_stands(&mut self, path: &Path) -> Result<usize, Failure> {
        let inode = fs::metadata(path)?.ino();
        if let Some(file) = self.by_inode.get(&inode) {
            return Ok(*file);
        }
        let content = fs::read(path)?;
        let file = self.new_file(inode);
        *self.file(file)? = File { durable: content.clone(), live: content, pending: Vec::new() };
        Ok(file)
    }

    /// Takes what a program did, as it was recorded.
    pub(crate) fn replay(&mut self, record: &Record) -> Result<(), Failure> {
        let (log, data) = (fs::read_to_string(&record.log)?, fs::read(&record.data)?);
        let mut data = &data[..];
        for line in log.lines().filter(|line| !line.starts_with('!') && !line.starts_with("told\t")) {
            let replayed = self.replay_call(&line.split('\t').collect::<Vec<_>>(), &mut data);
            replayed.map_err(|failure| failure.during(format!("the record of calls, {line:?}")))?;
        }
        Ok(())
    }

    fn replay_call(&mut self, call: &[&str], written: &mut &[u8]) -> Result<(), Failure> {
        match *call {
            ["make", inode, path] => {
                let file = self.new_file(number(inode)?);
                self.step(path, Some(Entry::File(file)))
            }
            ["write", inode, at, length, _] => {
                let (bytes, rest) = written
                    .split_at_checked(number(length)? as usize)
                    .ok_or_else(|| Failure::new("the record of bytes ends too early"))?;
                *written = rest;
                self.change(inode, Content::Bytes { at: number(at)? as usize, bytes: bytes.to_vec() })
            }
            ["resize", inode, length, _] => self.change(inode, Content::Length(number(length)? as usize)),
            ["allocate", inode, mode, at, length, _] => {
                self.allocate(inode, number(mode)?, number(at)? as usize, number(length)? as usize)
            }
            ["fsync", result, inode, path] => self.sync(result == "0", inode, path),
            ["rename", old, new] => self.rename(old, new),
            ["link", old, new] => {
                let entry = self.entry(old)?;
                self.step(new, Some(entry))
            }
            ["symlink", target, path] => self.step(path, Some(Entry::Link(target.to_owned()))),
            ["unlink", path] => self.step(path, None),
            ["mkdir", path] => {
                let folder = self.new_folder();
                self.step(path, Some(Entry::Folder(folder)))
            }
            _ => Err(Failure::new("no such call is known")),
        }
    }

    fn new_file(&mut self, inode: u64) -> usize {
        self.files.push(File::default());
        // The number of a file that is gone may be given again.
        self.by_inode.insert(inode, self.files.len() - 1);
        self.files.len() - 1
    }

    fn new_folder(&mut self) -> usize {
        self.folders.push(Folder::default());
        self.folders.len() - 1
    }

    fn file(&mut self, file: usize) -> Result<&mut File, Failure> {
        self.files.get_mut(file).ok_or_else(|| Failure::new("there is no such file"))
    }

    fn folder(&mut self, folder: usize) -> Result<&mut Folder, Failure> {
        self.folders.get_mut(folder).ok_or_else(|| Failure::new("there is no such folder"))
    }

    fn file_of(&mut self, inode: &str) -> Result<&mut File, Failure> {
        let file = self.by_inode.get(&number(inode)?).copied();
        self.file(file.ok_or_else(|| Failure::new("it was never seen how the file was made"))?)
    }

    /// The folder a path leads to, and the last name of the path; the name of the root is empty.
    fn place(&self, path: &str) -> Result<(usize, String), Failure> {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut folder = 0;
        for name in folders.split('/').filter(|name| !name.is_empty()) {
            match self.folders.get(folder).and_then(|folder| folder.live.get(name)) {
                Some(Entry::Folder(inner)) => folder = *inner,
                _ => return Err(Failure::new("it was never seen how a folder was made")),
            }
        }
        Ok((folder, name.to_owned()))
    }

    fn entry(&self, path: &str) -> Result<Entry, Failure> {
        let (folder, name) = self.place(path)?;
        let entry = self.folders.get(folder).and_then(|folder| folder.live.get(&name)).cloned();
        entry.ok_or_else(|| Failure::new("it was never seen how the entry was made"))
    }

    fn step(&mut self, path: &str, entry: Option<Entry>) -> Result<(), Failure> {
        let (folder, name) = self.place(path)?;
        self.folder(folder)?.step(vec![(name, entry)]);
        Ok(())
    }

    /// One step where it is within a folder. Between two, one of its halves may be on the disk alone.
    fn rename(&mut self, old: &str, new: &str) -> Result<(), Failure> {
        let entry = self.entry(old)?;
        let ((old_folder, old), (new_folder, new)) = (self.place(old)?, self.place(new)?);
        if old_folder == new_folder {
            self.folder(new_folder)?.step(vec![(old, None), (new, Some(entry))]);
        } else {
            self.folder(new_folder)?.step(vec![(new, Some(entry))]);
            self.folder(old_folder)?.step(vec![(old, None)]);
        }
        Ok(())
    }

    fn change(&mut self, inode: &str, what: Content) -> Result<(), Failure> {
        let file = self.file_of(inode)?;
        what.apply(&mut file.live);
        file.pending.push(Change { what, is_given_up: false });
        Ok(())
    }

    fn allocate(&mut self, inode: &str, mode: u64, at: usize, length: usize) -> Result<(), Failure> {
        /// `FALLOC_FL_KEEP_SIZE` and, beside it, `FALLOC_FL_PUNCH_HOLE`.
        const KEEP_SIZE: u64 = 1;
        const PUNCH_HOLE: u64 = 3;
        match mode {
            0 => {
                let now = self.file_of(inode)?.live.len();
                self.change(inode, Content::Length(now.max(at + length)))
            }
            KEEP_SIZE => Ok(()),
            PUNCH_HOLE => {
                let now = self.file_of(inode)?.live.len();
                self.change(inode, Content::Bytes { at, bytes: vec![0; length.min(now.saturating_sub(at))] })
            }
            _ => Err(Failure::new("this kind of allocation is not known")),
        }
    }

    fn sync(&mut self, succeeded: bool, inode: &str, path: &str) -> Result<(), Failure> {
        let folder = match path {
            "." => Some(0),
            _ => self
                .entry(path)
                .ok()
                .and_then(|entry| if let Entry::Folder(folder) = entry { Some(folder) } else { None }),
        };
        match folder {
            Some(folder) => self.folder(folder)?.sync(succeeded),
            None => self.file_of(inode)?.sync(succeeded),
        }
        Ok(())
    }

    /// The first thing in which the folder differs from what was recorded: then a call was not seen. Memory that is mapped is
    /// known not to be.
    pub(crate) fn difference(&self, root: &Path) -> Result<Option<String>, Failure> {
        let found = Self::of(root)?;
        Ok(self.difference_of(0, &found, 0, ""))
    }

    fn difference_of(&self, folder: usize, found: &Self, found_folder: usize, path: &str) -> Option<String> {
        let (here, there) = (&self.folders.get(folder)?.live, &found.folders.get(found_folder)?.live);
        let other = |name: &&String| here.contains_key(*name) != there.contains_key(*name);
        if let Some(name) = here.keys().chain(there.keys()).find(other) {
            return Some(format!("{path}{name} is only in one of them"));
        }
        here.iter().zip(there.values()).find_map(|((name, here), there)| match (here, there) {
            (Entry::Folder(inner), Entry::Folder(other)) => {
                self.difference_of(*inner, found, *other, &format!("{path}{name}/"))
            }
            (Entry::File(_), Entry::File(_)) if name.ends_with("-shm") => None,
            (Entry::File(file), Entry::File(other)) => {
                let (here, there) = (&self.files.get(*file)?.live, &found.files.get(*other)?.live);
                let at = here.iter().zip(there).position(|(here, there)| here != there);
                let at = at.or((here.len() != there.len()).then_some(here.len().min(there.len())));
                at.map(|at| format!("{path}{name} has another content from byte {at} on"))
            }
            (here, there) => (here != there).then(|| format!("{path}{name} is another entry")),
        })
    }

    /// Puts what the loss leaves in the place of what is in the folder; that is the folder from then on.
    pub(crate) fn fail(&self, loss: Loss, random: &mut Random, root: &Path) -> Result<Self, Failure> {
        fs::remove_dir_all(root)?;
        let files: Vec<Vec<u8>> = self.files.iter().map(|file| file.after(loss, random)).collect();
        let folders: Vec<Entries> = self.folders.iter().map(|folder| folder.after(loss, random)).collect();
        Left { files: &files, folders: &folders, made: HashMap::new() }.put(0, root)?;
        Self::of(root)
    }
}

fn number(text: &str) -> Result<u64, Failure> {
    Ok(text.parse()?)
}

impl Content {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Bytes { at, bytes } => {
                let end = at + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                if let Some(place) = content.get_mut(*at..end) {
                    place.copy_from_slice(bytes);
                }
            }
            Self::Length(length) => content.resize(*length, 0),
        }
    }
}

impl File {
    fn sync(&mut self, succeeded: bool) {
        if !succeeded {
            self.pending.iter_mut().for_each(|change| change.is_given_up = true);
            return;
        }
        for change in self.pending.extract_if(.., |change| !change.is_given_up) {
            change.what.apply(&mut self.durable);
        }
    }

    fn after(&self, loss: Loss, random: &mut Random) -> Vec<u8> {
        let mut content = self.durable.clone();
        match loss {
            Loss::Dropped => {}
            Loss::Reordered => {
                self.pending.iter().filter(|_| random.once_in(2)).for_each(|change| change.what.apply(&mut content));
            }
            Loss::Torn => {
                if random.once_in(2) {
                    content.resize(self.live.len(), 0);
                }
                for (page, live) in content.chunks_mut(PAGE_BYTES).zip(self.live.chunks(PAGE_BYTES)) {
                    if random.once_in(2) {
                        page.iter_mut().zip(live).for_each(|(byte, live)| *byte = *live);
                    }
                }
            }
        }
        content
    }
}

impl Folder {
    fn step(&mut self, step: Vec<(String, Option<Entry>)>) {
        set(&mut self.live, &step);
        self.pending.push(step);
    }

    /// A journal of a file system keeps entries that could not be written for the next time.
    fn sync(&mut self, succeeded: bool) {
        if succeeded {
            self.durable.clone_from(&self.live);
            self.pending.clear();
        }
    }

    fn after(&self, loss: Loss, random: &mut Random) -> Entries {
        let mut entries = self.durable.clone();
        let steps = match loss {
            Loss::Dropped => 0,
            Loss::Torn | Loss::Reordered => random.below(self.pending.len() as u64 + 1) as usize,
        };
        self.pending.iter().take(steps).for_each(|step| set(&mut entries, step));
        entries
    }
}

fn set(entries: &mut Entries, step: &[(String, Option<Entry>)]) {
    for (name, entry) in step {
        match entry {
            Some(entry) => entries.insert(name.clone(), entry.clone()),
            None => entries.remove(name),
        };
    }
}

/// What a loss leaves, while it is written to a folder.
struct Left<'l> {
    files: &'l [Vec<u8>],
    folders: &'l [Entries],
    /// The path of each file that is written already: its other names are links.
    made: HashMap<usize, PathBuf>,
}

impl Left<'_> {
    fn put(&mut self, folder: usize, path: &Path) -> Result<(), Failure> {
        fs::create_dir(path)?;
        for (name, entry) in self.folders.get(folder).into_iter().flatten() {
            let path = path.join(name);
            match entry {
                Entry::Folder(inner) => self.put(*inner, &path)?,
                Entry::Link(target) => symlink(target, path)?,
                Entry::File(file) => match self.made.get(file) {
                    Some(other) => fs::hard_link(other, path)?,
                    None => {
                        fs::write(&path, self.files.get(*file).map_or(&[][..], Vec::as_slice))?;
                        self.made.insert(*file, path);
                    }
                },
            }
        }
        Ok(())
    }
}
