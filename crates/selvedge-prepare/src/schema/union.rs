//! Types that take what either of two takes.
//!
//! A union takes more than that where both take objects, arrays or one type of scalar under different conditions: it takes
//! them under neither's. Each union says whether it is exact.

use std::mem;

use crate::schema::record_type::{
    Additional, Field, OPEN_OBJECT, Others, Presence, RecordType, Scalar, UNTYPED, ValueType,
};

impl ValueType {
    /// Takes what `other` takes too. Whether it takes no more than that.
    pub(crate) fn unite(&mut self, other: Self) -> bool {
        if *self == other {
            return true;
        }
        let mut exact = self.rules.take().is_none() && other.rules.is_none();
        let (ours, theirs) = (self.others, other.others);
        exact &= match (&mut self.object, other.object) {
            (Some(object), Some(other)) => object.unite(other),
            (Some(object), None) if theirs == Others::ByValue => object.unite(OPEN_OBJECT.clone()),
            (object @ None, Some(mut other)) => {
                let exact = ours == Others::Refused || other.unite(OPEN_OBJECT.clone());
                *object = Some(other);
                exact
            }
            _ => true,
        };
        exact &= match (&mut self.elements, other.elements) {
            (Some(elements), Some(other)) => elements.unite_elements(*other),
            (Some(elements), None) if theirs == Others::ByValue => elements.unite_elements(UNTYPED.clone()),
            (elements @ None, Some(mut other)) => {
                let exact = ours == Others::Refused || other.unite_elements(UNTYPED.clone());
                *elements = Some(other);
                exact
            }
            _ => true,
        };
        for scalar in other.scalars {
            exact &= self.unite_scalar(scalar);
        }
        for kept in other.kept_as_json {
            if !self.kept_as_json.contains(&kept) {
                self.kept_as_json.push(kept);
            }
        }
        self.nullable |= other.nullable;
        if theirs == Others::ByValue {
            self.others = Others::ByValue;
        }
        exact
    }

    /// Arrays whose elements are each of either type are more than arrays of one of them.
    fn unite_elements(&mut self, other: Self) -> bool {
        let same = *self == other;
        self.unite(other);
        same
    }

    fn unite_scalar(&mut self, other: Scalar) -> bool {
        match self.scalars.iter_mut().find(|scalar| scalar.column_type == other.column_type) {
            Some(scalar) if *scalar == other => true,
            Some(scalar) => {
                scalar.limits = None;
                false
            }
            None => {
                self.scalars.push(other);
                true
            }
        }
    }
}

impl RecordType {
    /// Takes the objects that `other` takes too: each property may be what it is in either.
    fn unite(&mut self, mut other: Self) -> bool {
        if *self == other {
            return true;
        }
        for field in &mut self.fields {
            let theirs = other.fields.iter().position(|theirs| theirs.name == field.name);
            match theirs.map(|at| other.fields.remove(at)) {
                Some(theirs) => {
                    field.value.unite(theirs.value);
                    if theirs.presence == Presence::Optional {
                        field.presence = Presence::Optional;
                    }
                }
                None => field.unite_undeclared(&other.additional),
            }
        }
        for mut field in other.fields {
            field.unite_undeclared(&self.additional);
            self.fields.push(field);
        }
        self.additional = match (mem::replace(&mut self.additional, Additional::Refused), other.additional) {
            (Additional::Refused, one) | (one, Additional::Refused) => one,
            (Additional::Typed(mut ours), Additional::Typed(theirs)) => {
                ours.unite(*theirs);
                Additional::Typed(ours)
            }
            (Additional::Untyped, _) | (_, Additional::Untyped) => Additional::Untyped,
        };
        false
    }
}

impl Field {
    /// Takes what objects take as this property that do not declare it.
    fn unite_undeclared(&mut self, additional: &Additional) {
        self.presence = Presence::Optional;
        match additional {
            Additional::Untyped => drop(self.value.unite(UNTYPED.clone())),
            Additional::Typed(value) => drop(self.value.unite((**value).clone())),
            Additional::Refused => {}
        }
    }
}
