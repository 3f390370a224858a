//! A disk as the recorder's log describes it: what is there now, what would be there after power loss, and what may be there.

use rand::Rng;
use rand::rngs::StdRng;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const PAGE: usize = 4096;

const BLANK: &[u8] = &[0; PAGE];

/// The bytes of a file. Pages that were never written are zero, and copies share pages.
#[derive(Debug, Clone, Default)]
pub struct Content {
    pages: BTreeMap<u64, Arc<Vec<u8>>>,
    length: u64,
}

impl Content {
    fn write(&mut self, mut offset: u64, mut bytes: &[u8]) {
        self.length = self.length.max(offset + bytes.len() as u64);
        while !bytes.is_empty() {
            let within = (offset % PAGE as u64) as usize;
            let (part, rest) = bytes.split_at(bytes.len().min(PAGE - within));
            let page = self.pages.entry(offset / PAGE as u64).or_insert_with(|| Arc::new(vec![0; PAGE]));
            Arc::make_mut(page)[within..within + part.len()].copy_from_slice(part);
            offset += part.len() as u64;
            bytes = rest;
        }
    }

    fn set_length(&mut self, length: u64) {
        self.length = length;
        self.pages.split_off(&length.div_ceil(PAGE as u64));
        if let Some(last) = self.pages.get_mut(&(length / PAGE as u64)) {
            Arc::make_mut(last)[(length % PAGE as u64) as usize..].fill(0);
        }
    }

    /// The pages that are not zero all over.
    fn written(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.pages.iter().map(|(number, page)| (*number, page.as_slice())).filter(|(_, page)| *page != BLANK)
    }

    fn create(&self, path: &Path) {
        let file = fs::File::create_new(path).unwrap();
        for (number, page) in self.written() {
            file.write_all_at(page, number * PAGE as u64).unwrap();
        }
        file.set_len(self.length).unwrap();
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        self.length == other.length && self.written().eq(other.written())
    }
}

/// What may happen to a file between two syncs of it.
#[derive(Debug)]
enum Change {
    Written { offset: u64, bytes: Vec<u8> },
    Length(u64),
}

/// What may happen to a directory between two syncs of it: names that change together.
type Renaming = Vec<(String, Option<usize>)>;

#[derive(Debug)]
enum Node {
    File { now: Content, durable: Content, since: Vec<Change> },
    Directory { now: BTreeMap<String, usize>, durable: BTreeMap<String, usize>, since: Vec<Renaming> },
}

/// What survives of the operations that were not synced.
#[derive(Debug)]
pub enum Survivors<'r> {
    None,
    /// Of each operation, or each part of one, with this chance.
    Some(&'r mut StdRng, f64),
    All,
}

impl Survivors<'_> {
    fn survives(&mut self) -> bool {
        match self {
            Survivors::None => false,
            Survivors::Some(random, chance) => random.random_bool(*chance),
            Survivors::All => true,
        }
    }
}

/// One entry of the log. The kinds have the numbers of `recorder.c`.
#[derive(Debug)]
pub enum Entry<'l> {
    Opened { file: u64, create: bool, truncate: bool, path: &'l str },
    Written { file: u64, offset: u64, bytes: &'l [u8] },
    Length { file: u64, length: u64 },
    Synced { file: u64 },
    Renamed { from: &'l str, to: &'l str },
    Linked { from: &'l str, to: &'l str },
    Unlinked { path: &'l str },
    Made { file: u64, path: &'l str },
    Sent { bytes: &'l [u8] },
}

/// The entries of a log, in order. The last one may not be written to its end yet: the server goes on while it is read.
pub fn entries(mut log: &[u8]) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    while let Some((head, rest)) = log.split_at_checked(32) {
        let short = |at: usize| u32::from_ne_bytes(head[at..at + 4].try_into().unwrap());
        let long = |at: usize| u64::from_ne_bytes(head[at..at + 8].try_into().unwrap());
        let Some((first, rest)) = rest.split_at_checked(short(24) as usize) else { break };
        let Some((second, rest)) = rest.split_at_checked(short(28) as usize) else { break };
        let text = |bytes| std::str::from_utf8(bytes).unwrap();
        let (file, offset) = (long(8), long(16));
        entries.push(match short(0) {
            1 => Entry::Opened { file, create: short(4) & 1 != 0, truncate: short(4) & 2 != 0, path: text(first) },
            2 => Entry::Written { file, offset, bytes: first },
            3 => Entry::Length { file, length: offset },
            4 => Entry::Synced { file },
            5 => Entry::Renamed { from: text(first), to: text(second) },
            6 => Entry::Linked { from: text(first), to: text(second) },
            7 => Entry::Unlinked { path: text(first) },
            8 => Entry::Made { file, path: text(first) },
            9 => Entry::Sent { bytes: first },
            kind => panic!("an entry of kind {kind}"),
        });
        log = rest;
    }
    entries
}

/// The recorded directory.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    nodes: Vec<Node>,
    /// The nodes by their inode numbers, which are given again once a file is gone.
    by_inode: HashMap<u64, usize>,
}

const ROOT: usize = 0;

impl Disk {
    /// A directory that is empty.
    pub fn new(root: &Path) -> Self {
        let inode = fs::metadata(root).unwrap().ino();
        let mut disk = Self { root: root.canonicalize().unwrap(), nodes: Vec::new(), by_inode: HashMap::new() };
        disk.add(inode, Node::Directory { now: BTreeMap::new(), durable: BTreeMap::new(), since: Vec::new() });
        disk
    }

    fn add(&mut self, inode: u64, node: Node) -> usize {
        self.nodes.push(node);
        self.by_inode.insert(inode, self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    /// Where a path leads: the directory it is in, and its name there.
    fn place<'p>(&self, path: &'p str) -> (usize, &'p str) {
        let inside = path.strip_prefix(self.root.to_str().unwrap()).and_then(|path| path.strip_prefix('/')).unwrap();
        let (parents, name) = inside.rsplit_once('/').unwrap_or(("", inside));
        let mut directory = ROOT;
        for parent in parents.split('/').filter(|parent| !parent.is_empty() && *parent != ".") {
            directory = self.names(directory)[parent];
        }
        assert!(!["", ".", ".."].contains(&name), "{path}");
        (directory, name)
    }

    fn names(&self, directory: usize) -> &BTreeMap<String, usize> {
        match &self.nodes[directory] {
            Node::Directory { now, .. } => now,
            Node::File { .. } => panic!("a file is no directory"),
        }
    }

    fn rename(&mut self, directory: usize, changes: Renaming) {
        let Node::Directory { now, since, .. } = &mut self.nodes[directory] else { panic!("a file is no directory") };
        for (name, node) in &changes {
            match node {
                Some(node) => now.insert(name.clone(), *node),
                None => now.remove(name),
            };
        }
        since.push(changes);
    }

    fn change(&mut self, inode: u64, change: Change) {
        let Node::File { now, since, .. } = &mut self.nodes[self.by_inode[&inode]] else { panic!("a directory is no file") };
        match &change {
            Change::Written { offset, bytes } => now.write(*offset, bytes),
            Change::Length(length) => now.set_length(*length),
        }
        since.push(change);
    }

    /// Does what an entry says.
    pub fn apply(&mut self, entry: &Entry<'_>) {
        match *entry {
            Entry::Opened { file, create, truncate, path } => {
                let (directory, name) = self.place(path);
                if !self.names(directory).contains_key(name) {
                    assert!(create, "{path} was made unseen");
                    let node = self.add(file, Node::File { now: Content::default(), durable: Content::default(), since: Vec::new() });
                    self.rename(directory, vec![(name.to_owned(), Some(node))]);
                }
                assert_eq!(self.by_inode.get(&file), self.names(directory).get(name), "{path} is another file");
                if truncate {
                    self.change(file, Change::Length(0));
                }
            }
            Entry::Written { file, offset, bytes } => self.change(file, Change::Written { offset, bytes: bytes.to_vec() }),
            Entry::Length { file, length } => self.change(file, Change::Length(length)),
            Entry::Synced { file } => match &mut self.nodes[self.by_inode[&file]] {
                Node::File { now, durable, since } => {
                    durable.clone_from(now);
                    since.clear();
                }
                Node::Directory { now, durable, since } => {
                    durable.clone_from(now);
                    since.clear();
                }
            },
            Entry::Renamed { from, to } => {
                let ((old, from), (new, to)) = (self.place(from), self.place(to));
                let node = self.names(old)[from];
                let (added, removed) = ((to.to_owned(), Some(node)), (from.to_owned(), None));
                if matches!(self.nodes[node], Node::Directory { .. }) && old == new {
                    // A directory has one name at any time.
                    self.rename(new, vec![added, removed]);
                } else if self.names(new).get(to) != Some(&node) {
                    // One name may survive without the other's loss, and the loss without the name.
                    self.rename(new, vec![added]);
                    self.rename(old, vec![removed]);
                }
            }
            Entry::Linked { from, to } => {
                let ((old, from), (new, to)) = (self.place(from), self.place(to));
                let node = self.names(old)[from];
                self.rename(new, vec![(to.to_owned(), Some(node))]);
            }
            Entry::Unlinked { path } => {
                let (directory, name) = self.place(path);
                self.rename(directory, vec![(name.to_owned(), None)]);
            }
            Entry::Made { file, path } => {
                let (directory, name) = self.place(path);
                let node = self.add(file, Node::Directory { now: BTreeMap::new(), durable: BTreeMap::new(), since: Vec::new() });
                self.rename(directory, vec![(name.to_owned(), Some(node))]);
            }
            Entry::Sent { .. } => {}
        }
    }

    /// The directory after power loss.
    pub fn after(&self, mut survivors: Survivors<'_>) -> Image {
        let mut image = Image::default();
        self.survive(ROOT, Path::new(""), &mut survivors, &mut image);
        image
    }

    fn survive(&self, node: usize, path: &Path, survivors: &mut Survivors<'_>, image: &mut Image) {
        match &self.nodes[node] {
            Node::Directory { durable, since, .. } => {
                let mut names = durable.clone();
                for (name, node) in since.iter().filter(|_| survivors.survives()).flatten() {
                    match node {
                        Some(node) => names.insert(name.clone(), *node),
                        None => names.remove(name),
                    };
                }
                for (name, node) in names {
                    let path = path.join(&name);
                    let file = matches!(self.nodes[node], Node::File { .. });
                    image.names.insert(path.clone(), file.then_some(node));
                    // A file of two names is one file.
                    if !image.files.contains_key(&node) {
                        self.survive(node, &path, survivors, image);
                    }
                }
            }
            Node::File { durable, since, .. } => {
                let mut content = durable.clone();
                for change in since {
                    content.suffer(change, survivors);
                }
                image.files.insert(node, content);
            }
        }
    }
}

impl Content {
    /// Takes as much of a change as survives: a file may have got its new length without its bytes, and bytes in pieces of a sector or a
    /// page.
    fn suffer(&mut self, change: &Change, survivors: &mut Survivors<'_>) {
        match change {
            Change::Length(length) => {
                if survivors.survives() {
                    self.set_length(*length);
                }
            }
            Change::Written { offset, bytes } => {
                let end = offset + bytes.len() as u64;
                if survivors.survives() {
                    self.length = self.length.max(end);
                }
                let piece = match survivors {
                    Survivors::Some(random, _) => [512, PAGE as u64][random.random_range(0..2)],
                    Survivors::None | Survivors::All => PAGE as u64,
                };
                let mut at = *offset;
                while at < end {
                    let next = end.min((at / piece + 1) * piece);
                    if survivors.survives() {
                        self.write(at, &bytes[(at - offset) as usize..(next - offset) as usize]);
                    }
                    at = next;
                }
            }
        }
    }
}

/// A directory with everything in it.
#[derive(Debug, Default)]
pub struct Image {
    /// By path: a file, or none for a directory.
    names: BTreeMap<PathBuf, Option<usize>>,
    files: HashMap<usize, Content>,
}

impl Image {
    /// What tells it from others.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = DefaultHasher::new();
        for (path, file) in &self.names {
            (path, file).hash(&mut hash);
            if let Some(content) = file.map(|file| &self.files[&file]) {
                content.length.hash(&mut hash);
                content.written().for_each(|page| page.hash(&mut hash));
            }
        }
        hash.finish()
    }

    /// Makes it, in a directory that is empty.
    pub fn create(&self, directory: &Path) {
        let mut made: HashMap<usize, PathBuf> = HashMap::new();
        for (path, file) in &self.names {
            let path = directory.join(path);
            match file {
                None => fs::create_dir(&path).unwrap(),
                Some(file) => match made.get(file) {
                    Some(first) => fs::hard_link(first, &path).unwrap(),
                    None => {
                        self.files[file].create(&path);
                        made.insert(*file, path);
                    }
                },
            }
        }
    }

    /// Fails unless a directory is just this.
    pub fn assert_is(&self, directory: &Path) {
        let mut there = BTreeMap::new();
        read(directory, Path::new(""), &mut there);
        let paths = |names: Vec<&PathBuf>| names.into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(paths(there.keys().collect()), paths(self.names.keys().collect()), "names were changed unseen");
        for (path, content) in there {
            let recorded = self.names[&path].map(|file| &self.files[&file]);
            assert!(recorded == content.as_ref(), "{} was changed unseen", path.display());
        }
    }
}

/// Reads a directory: its directories, and its files with their bytes.
fn read(root: &Path, directory: &Path, there: &mut BTreeMap<PathBuf, Option<Content>>) {
    for entry in fs::read_dir(root.join(directory)).unwrap() {
        let path = directory.join(entry.unwrap().file_name());
        if root.join(&path).is_dir() {
            there.insert(path.clone(), None);
            read(root, &path, there);
        } else if root.join(&path).is_file() {
            // A killed server leaves its socket, which holds nothing.
            let mut content = Content::default();
            content.write(0, &fs::read(root.join(&path)).unwrap());
            there.insert(path, Some(content));
        }
    }
}
