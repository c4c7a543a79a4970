//! What the command line calls things.

/// What a thing is called.
pub(crate) fn name_of<T: PartialEq>(thing: &T, names: &[(T, &'static str)]) -> &'static str {
    names.iter().find(|(named, _)| named == thing).map_or("", |(_, name)| *name)
}

/// The thing of this name.
pub(crate) fn named<T: Copy>(name: &str, names: &[(T, &str)]) -> Result<T, String> {
    let known = || names.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(", ");
    names
        .iter()
        .find(|(_, known)| *known == name)
        .map(|(thing, _)| *thing)
        .ok_or_else(|| format!("{name:?} is none of {}", known()))
}
