//! In which order names stand.

use crate::lang::Lang;

/// What orders names: in Chinese by pinyin, in English by letters without their case.
///
/// The order of GBK's bytes is that of pinyin for the 3,755 most frequent characters; the others come after them, by radical.
pub(crate) fn order(lang: Lang, name: &str) -> (Vec<u8>, String) {
    let key = match lang {
        Lang::Zh => encoding_rs::GBK.encode(&name.to_lowercase()).0.into_owned(),
        Lang::En => name.to_lowercase().into_bytes(),
    };
    (key, name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_names_are_in_the_order_of_pinyin() {
        let mut names = ["赵敏", "李伟", "王芳", "陈静", "Alice", "艾琳"];
        names.sort_by_cached_key(|name| order(Lang::Zh, name));
        assert_eq!(names, ["Alice", "艾琳", "陈静", "李伟", "王芳", "赵敏"]);
    }
}
