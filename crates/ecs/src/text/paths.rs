//! Where documents have their fields.

use rustc_hash::FxHashMap;

use super::print::write_text;

/// Where the documents of a source have their fields. No field lies in another.
#[derive(Debug)]
pub struct Paths {
    /// The first is the document itself, and lies nowhere.
    pub(super) objects: Vec<Place>,
    pub(super) fields: Vec<Place>,
    by_path: FxHashMap<&'static str, usize>,
}

/// A key of an object.
#[derive(Debug)]
pub(super) struct Place {
    path: &'static str,
    /// The object it lies in.
    within: usize,
    key: &'static str,
    /// `"key":`
    pub(super) prefix: String,
}

impl Place {
    fn new(path: &'static str, within: usize, start: usize) -> Self {
        let key = &path[start..];
        let mut prefix = String::new();
        write_text(key, &mut prefix);
        prefix.push(':');
        Self { path, within, key, prefix }
    }
}

impl Paths {
    /// The number of the object that is the document itself.
    pub const DOCUMENT: usize = 0;

    /// Fields at these dotted paths; they are numbered as they come. Objects get their numbers after that in which
    /// they lie.
    pub fn new(paths: impl IntoIterator<Item = &'static str>) -> Self {
        let mut objects = vec![Place::new("", Self::DOCUMENT, 0)];
        let mut known: FxHashMap<&str, usize> = FxHashMap::default();
        let (mut fields, mut by_path) = (Vec::new(), FxHashMap::default());
        for path in paths {
            let (mut within, mut start) = (Self::DOCUMENT, 0);
            for (dot, _) in path.match_indices('.') {
                within = *known.entry(&path[..dot]).or_insert_with(|| {
                    objects.push(Place::new(&path[..dot], within, start));
                    objects.len() - 1
                });
                start = dot + 1;
            }
            by_path.insert(path, fields.len());
            fields.push(Place::new(path, within, start));
        }
        Self { objects, fields, by_path }
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// How many objects there are, the document included.
    pub fn object_count(&self) -> usize {
        self.objects.len()
    }

    /// The path of a field.
    pub fn path(&self, field: usize) -> &'static str {
        self.fields[field].path
    }

    /// The object that a field lies in, and its key there.
    pub fn place(&self, field: usize) -> (usize, &'static str) {
        let Place { within, key, .. } = self.fields[field];
        (within, key)
    }

    /// The object that an object lies in, and its key there.
    pub fn place_of_object(&self, object: usize) -> (usize, &'static str) {
        let Place { within, key, .. } = self.objects[object];
        (within, key)
    }

    /// The field at this path.
    pub fn field(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    /// The objects and fields of the document itself, each with its key.
    pub fn roots(&self) -> impl Iterator<Item = (&'static str, Member)> {
        let members = |places: &[Place], member: fn(usize) -> Member| {
            let of = places
                .iter()
                .enumerate()
                .filter(|(_, it)| it.within == Self::DOCUMENT && !it.path.is_empty());
            of.map(|(at, it)| (it.key, member(at))).collect::<Vec<_>>()
        };
        let objects = members(&self.objects, Member::Object);
        objects.into_iter().chain(members(&self.fields, Member::Field))
    }
}

/// What a key of a document holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    /// The field of this number.
    Field(usize),
    /// The object of this number.
    Object(usize),
}
