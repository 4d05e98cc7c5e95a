//! Names of people, places and things.

/// Family names with their Latin spelling.
pub(super) const FAMILY_NAMES: [(&str, &str); 20] = [
    ("王", "wang"),
    ("李", "li"),
    ("张", "zhang"),
    ("刘", "liu"),
    ("陈", "chen"),
    ("杨", "yang"),
    ("赵", "zhao"),
    ("黄", "huang"),
    ("周", "zhou"),
    ("吴", "wu"),
    ("徐", "xu"),
    ("孙", "sun"),
    ("胡", "hu"),
    ("朱", "zhu"),
    ("高", "gao"),
    ("林", "lin"),
    ("何", "he"),
    ("郭", "guo"),
    ("马", "ma"),
    ("罗", "luo"),
];

/// Given names with their Latin spelling.
pub(super) const GIVEN_NAMES: [(&str, &str); 20] = [
    ("伟", "wei"),
    ("芳", "fang"),
    ("娜", "na"),
    ("敏", "min"),
    ("静", "jing"),
    ("丽", "li"),
    ("强", "qiang"),
    ("磊", "lei"),
    ("军", "jun"),
    ("洋", "yang"),
    ("勇", "yong"),
    ("艳", "yan"),
    ("杰", "jie"),
    ("涛", "tao"),
    ("明", "ming"),
    ("秀英", "xiuying"),
    ("霞", "xia"),
    ("平", "ping"),
    ("子轩", "zixuan"),
    ("雨桐", "yutong"),
];

/// Cities and how many people live there.
pub(super) const CITIES: [(&str, u32); 12] = [
    ("上海", 24),
    ("北京", 20),
    ("广州", 14),
    ("深圳", 14),
    ("杭州", 9),
    ("成都", 9),
    ("武汉", 7),
    ("南京", 6),
    ("西安", 5),
    ("苏州", 5),
    ("重庆", 5),
    ("青岛", 3),
];

/// Mail domains; the ending is reserved, so that no address belongs to anybody.
pub(super) const MAIL_DOMAINS: [&str; 5] =
    ["qq.example", "163.example", "126.example", "outlook.example", "sina.example"];

/// Categories: name, word for its products, lowest and highest price in yuan.
pub(super) const CATEGORIES: [(&str, &str, u64, u64); 8] = [
    ("apparel", "T恤", 59, 399),
    ("shoes", "运动鞋", 199, 899),
    ("beauty", "面霜", 39, 499),
    ("home", "收纳盒", 19, 199),
    ("kitchen", "保温杯", 29, 299),
    ("toys", "积木", 49, 599),
    ("electronics", "耳机", 99, 2499),
    ("food", "坚果礼盒", 25, 168),
];

/// What product names begin with.
pub(super) const PRODUCT_WORDS: [&str; 10] =
    ["云感", "轻氧", "晨光", "北极", "青禾", "星野", "山川", "极简", "暖阳", "海盐"];

/// Browsers and the systems they run on: browser, system, kind of device.
pub(super) const BROWSERS: [(&str, &str, &str); 5] = [
    ("Chrome", "Windows", "desktop"),
    ("Safari", "iOS", "mobile"),
    ("WeChat", "Android", "mobile"),
    ("Chrome", "Android", "mobile"),
    ("Edge", "Windows", "desktop"),
];

/// Versions of the app.
pub(super) const APP_VERSIONS: [&str; 4] = ["5.2.0", "5.2.1", "5.3.0", "4.9.7"];
