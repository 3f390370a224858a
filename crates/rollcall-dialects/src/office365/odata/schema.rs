//! The properties that an expression may name.

use super::Type;

/// An entity type.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// Its full name, as errors give it.
    pub type_name: &'static str,
    /// Its properties.
    pub properties: &'static [PropertyDef],
}

/// A property.
#[derive(Debug, Clone, Copy)]
pub struct PropertyDef {
    /// Its name.
    pub name: &'static str,
    /// Other names that requests may give it.
    pub aliases: &'static [&'static str],
    /// Its type.
    pub kind: Type,
    /// Whether it may be null.
    pub nullable: bool,
}

/// A property of a schema: its place in [`Schema::properties`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PropertyId(pub usize);

impl Schema {
    /// The property with a name or an alias; case counts.
    pub fn find(&self, name: &str) -> Option<PropertyId> {
        let named = |property: &PropertyDef| property.name == name || property.aliases.contains(&name);
        self.properties.iter().position(named).map(PropertyId)
    }

    /// A property's definition.
    pub fn property(&self, id: PropertyId) -> Option<&'static PropertyDef> {
        self.properties.get(id.0)
    }
}
