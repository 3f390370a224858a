//! Countries and subdivisions of China by the names that databases write.

use hashbrown::HashMap;
use rollcall_model::Place;

/// What databases call countries beside the names that we give them. Not here, and so unknown: 欧洲, 亚太地区 and other parts of the world, 科索沃,
/// which has no code in ISO 3166-1, and 安的列斯, which is no more.
#[rustfmt::skip]
const ALIASES: [(&str, &str); 54] = [
    ("阿联酋", "AE"), ("安道尔共和国", "AD"), ("波黑", "BA"), ("波斯尼亚和墨塞哥维那", "BA"), ("孟加拉", "BD"), ("圣巴泰勒米岛", "BL"),
    ("荷兰加勒比区", "BQ"), ("科科斯群岛", "CC"), ("刚果金", "CD"), ("刚果(金)", "CD"), ("刚果民主共和国", "CD"), ("中非", "CF"),
    ("刚果布", "CG"), ("刚果(布)", "CG"), ("刚果共和国", "CG"), ("象牙海岸", "CI"), ("库拉索岛", "CW"), ("捷克共和国", "CZ"),
    ("多米尼加", "DO"), ("马尔维纳斯群岛", "FK"), ("密克罗尼西亚联邦", "FM"), ("根西", "GG"), ("格陵兰岛", "GL"),
    ("南乔治亚岛和南桑威奇群岛", "GS"), ("香港", "HK"), ("印尼", "ID"), ("马恩", "IM"), ("英属印度洋领土", "IO"), ("泽西", "JE"),
    ("圣马丁", "MF"), ("马其顿", "MK"), ("澳门", "MO"), ("北马里亚纳", "MP"), ("蒙塞拉特岛", "MS"), ("蒙特塞拉特岛", "MS"), ("皮特凯恩岛", "PN"),
    ("巴勒斯坦", "PS"), ("帕劳群岛", "PW"), ("留尼旺", "RE"), ("沙特", "SA"), ("阿森松岛", "SH"), ("圣赫勒拿岛", "SH"),
    ("圣多美及普林西比", "ST"), ("法国南部领地", "TF"), ("托克劳群岛", "TK"), ("台湾", "TW"), ("台湾省", "TW"), ("梵蒂冈城", "VA"),
    ("瓦努阿图共和国", "VU"), ("瓦利斯和富图纳群岛", "WF"), ("瓦利斯与富图纳", "WF"), ("圣皮埃尔和密克隆", "PM"), ("南苏丹共和国", "SS"),
    ("美国本土外小岛屿群岛", "UM"),
];

/// What follows the short name in a subdivision's full name; of two that fit, the longer comes first.
const SUFFIXES: [&str; 7] = ["维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "特别行政区", "省", "市"];

/// Places by name.
pub(super) struct Names {
    countries: HashMap<&'static str, Place>,
    divisions: HashMap<&'static str, Place>,
}

impl Names {
    pub(super) fn new() -> Self {
        let named = Place::countries().filter_map(|country| Some((country.chinese_name()?, country)));
        let aliases = ALIASES.iter().filter_map(|(name, code)| Some((*name, Place::country_only(code)?)));
        let both = |division: Place| [division.chinese_name(), division.english_name()].map(|name| name.map(|name| (name, division)));
        Self { countries: named.chain(aliases).collect(), divisions: Place::divisions_of_china().flat_map(both).flatten().collect() }
    }

    /// The country of a Chinese name.
    pub(super) fn country(&self, name: &str) -> Option<Place> {
        self.countries.get(name).copied()
    }

    /// The subdivision of China of a Chinese name, short or full, or an English one.
    pub(super) fn division(&self, name: &str) -> Option<Place> {
        let short = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
        self.divisions.get(short).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_known_by_our_names_and_by_aliases() {
        let names = Names::new();
        for country in Place::countries() {
            assert_eq!(names.country(country.chinese_name().unwrap()), Some(country));
        }
        for (alias, code) in ALIASES {
            assert_eq!(names.country(alias).map(|country| country.code()).as_deref(), Some(code), "{alias}");
            assert!(Place::countries().all(|country| country.chinese_name() != Some(alias)), "{alias} needs no alias");
        }
        for unknown in ["欧洲", "亚太地区", "科索沃", "0", "", "内网IP", "China"] {
            assert_eq!(names.country(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn subdivisions_are_known_by_short_full_and_english_names() {
        let names = Names::new();
        for division in Place::divisions_of_china() {
            let short = division.chinese_name().unwrap();
            let full = match short {
                "北京" | "上海" | "天津" | "重庆" => format!("{short}市"),
                "内蒙古" | "西藏" => format!("{short}自治区"),
                "广西" => "广西壮族自治区".into(),
                "宁夏" => "宁夏回族自治区".into(),
                "新疆" => "新疆维吾尔自治区".into(),
                "香港" | "澳门" => format!("{short}特别行政区"),
                province => format!("{province}省"),
            };
            for name in [short, &full, division.english_name().unwrap()] {
                assert_eq!(names.division(name), Some(division), "{name}");
            }
        }
        for unknown in ["0", "", "省", "内网IP", "深圳市", "California"] {
            assert_eq!(names.division(unknown), None, "{unknown}");
        }
    }
}
