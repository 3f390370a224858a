//! Every word of the dashboard, in both languages. A page says nothing that is not here, but for names, numbers and days.
//!
//! A `{name}` in braces is filled in; both languages have the same ones.

/// Defines the table.
macro_rules! words {
    ($($name:ident = $english:literal $chinese:literal;)+) => {
        /// Something that is said.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Word { $($name),+ }

        impl Word {
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$name),+];

            pub(crate) const fn english(self) -> &'static str {
                match self { $(Self::$name => $english),+ }
            }

            pub(crate) const fn chinese(self) -> &'static str {
                match self { $(Self::$name => $chinese),+ }
            }
        }
    };
}

words! {
    // Pages
    Overview = "Overview" "概览";
    Meetings = "Meetings" "会议";
    People = "People" "人员";
    Departments = "Departments" "部门";
    Places = "Places" "地区";
    Assistant = "Assistant" "编程助手";
    Sessions = "Sessions" "场次";
    Data = "Data" "数据";
    Access = "Access" "权限";
    Setup = "First start" "首次启动";
    SignIn = "Sign in" "登录";
    SignOut = "Sign out" "退出";
    Pages = "Pages" "页面";
    SkipToContent = "Skip to the content" "跳到正文";
    View = "What is shown" "显示范围";
    Silent = "Silent members" "未出现的成员";
    Person = "Person" "个人";
    Session = "Session" "场次";
    Department = "Department" "部门";
    // Ranges
    Range = "Range" "时间范围";
    Today = "Today" "今天";
    Yesterday = "Yesterday" "昨天";
    Days7 = "Last 7 days" "最近 7 天";
    Days28 = "Last 28 days" "最近 28 天";
    ThisWeek = "This week" "本周";
    LastWeek = "Last week" "上周";
    ThisMonth = "This month" "本月";
    LastMonth = "Last month" "上月";
    ThisQuarter = "This quarter" "本季度";
    LastQuarter = "Last quarter" "上季度";
    ThisYear = "This year" "今年";
    LastYear = "Last year" "去年";
    OwnRange = "Days of your own" "自选日期";
    FirstDay = "First day" "第一天";
    LastDay = "Last day" "最后一天";
    Zone = "Time zone" "时区";
    WeekStart = "Week begins on" "每周开始于";
    Show = "Show" "显示";
    Compare = "Compare" "对比";
    CompareOff = "No comparison" "不对比";
    ComparePrevious = "The range before" "上一时段";
    CompareYear = "A year before" "一年前";
    ComparedWith = "Dotted: {range}." "点线：{range}。";
    ComparedRunning = "Dotted: {range}, which is as much of it as has passed of this." "点线：{range}，只取与本时段已过去部分同样的长度。";
    By = "By" "按";
    Day = "Day" "日";
    Week = "Week" "周";
    Month = "Month" "月";
    Quarter = "Quarter" "季度";
    Year = "Year" "年";
    Keys = "Keys" "快捷键";
    KeysNote = "A key does what its link does. Esc clears the filters, X compares with the range before, ? leads here." "按键与链接作用相同。Esc 清除筛选，X 与上一时段对比，? 跳到这里。";
    // Filters
    Filter = "Filter" "筛选";
    ClearFilters = "Clear all" "全部清除";
    RemoveFilter = "Remove the filter {filter}" "移除筛选 {filter}";
    App = "App" "应用";
    AnyApp = "All apps" "全部应用";
    SessionKind = "Kind of session" "场次类型";
    UserKind = "Kind of user" "用户类型";
    Device = "Device" "设备";
    Medium = "Medium" "媒体";
    User = "User" "用户";
    AllDepartments = "All departments" "全部部门";
    NotFiltered = "Not filtered by: {filters}." "未按以下条件筛选：{filters}。";
    OrganizationOnly = "This number exists for the whole organization only; you see a department." "此数字仅对整个组织存在；您只能看到一个部门。";
    // Vocabulary
    KindMeeting = "Meeting" "会议";
    KindCall = "Call" "通话";
    KindRoom = "Room" "房间";
    UserMember = "Member" "成员";
    UserGuest = "Guest" "访客";
    UserRoom = "Meeting room" "会议室";
    UserPhone = "Telephone" "电话";
    DeviceDesktop = "Desktop" "桌面端";
    DeviceWeb = "Browser" "网页端";
    DeviceMobile = "Mobile" "手机";
    DeviceTablet = "Tablet" "平板";
    DeviceRoom = "Room system" "会议室系统";
    DevicePhone = "Telephone line" "电话线路";
    DeviceUnknown = "Not said" "未注明";
    MediumAudio = "Audio" "音频";
    MediumVideo = "Video" "视频";
    MediumScreen = "Screen sharing" "屏幕共享";
    MediumMessage = "Messages" "消息";
    MediumFile = "Files" "文件";
    UnitChina = "China" "中国";
    UnitUs = "United States" "美国";
    UnitSingapore = "Singapore" "新加坡";
    UnitJapan = "Japan" "日本";
    // What numbers cover
    Covers = "Covers {range}, {zone}." "覆盖 {range}，{zone}。";
    Seen = "Facts from {first} to {last}." "数据自 {first} 至 {last}。";
    SeenNone = "No facts in it." "其中没有数据。";
    Running = "Still running: until {now}." "尚在进行：截至 {now}。";
    RunningShort = "so far" "截至目前";
    Ahead = "It lies ahead: there is nothing to count yet." "尚未到来：暂无可计数的内容。";
    AheadSome = "What lies after {now} is not there yet." "{now} 之后的部分尚未到来。";
    SourcesFailing = "May be incomplete: {sources}." "可能不完整：{sources}。";
    SourceSince = "{source} silent since {since}" "{source} 自 {since} 起无数据";
    SourcesWell = "Every source has reported." "所有来源均已上报。";
    Position = "Everything up to receipt {receipt} of {at} is counted." "已计入 {at} 的回执 {receipt} 及之前的全部数据。";
    Late = "{count} facts of the last day came more than a day late, and are counted." "最近一天有 {count} 条数据迟到一天以上，均已计入。";
    NotSum = "Each person counts once in the whole range: it is not the sum of the rows." "整个范围内每人只计一次：并非各行之和。";
    Overlap = "A person counts in each row that applies, so rows may exceed the whole." "一个人会计入每一适用的行，因此各行之和可能超过总数。";
    PlacesOverlap = "Who was in two places counts in both; shares are of all rows." "在两地出现的人两地均计；占比以各行之和为基数。";
    SumOfDays = "A meeting belongs to the day on which it began, so days add up." "会议归属其开始之日，因此各日可相加。";
    // Parts of panels
    ShowTheCall = "Show the call" "查看调用";
    CallNative = "Native API" "原生 API";
    CallCommand = "Command line" "命令行";
    CallFor = "Gives exactly this number, with a key in ROLLCALL_KEY:" "用 ROLLCALL_KEY 中的密钥即可得到同一数字：";
    Feishu = "Feishu" "飞书";
    Office365 = "Office 365" "Office 365";
    Volcengine = "Volcengine" "火山引擎";
    Yunxiao = "Yunxiao" "云效";
    Exports = "Export {title}" "导出{title}";
    Copy = "Copy" "复制";
    NothingYet = "Nothing was recorded in this range." "此范围内没有记录。";
    Total = "Total" "合计";
    Share = "Share" "占比";
    Change = "Change" "变化";
    Before = "Before" "对比值";
    More = "Next page" "下一页";
    First = "To the beginning" "回到开头";
    TableFolded = "The numbers as a table" "以表格显示数字";
    Unknown = "Unknown" "未知";
    None = "None" "无";
    Name = "Name" "名称";
    Id = "Id" "标识";
    ConcealedNote = "Names are concealed. The same person has the same pseudonym everywhere." "姓名已隐藏。同一人在各处使用同一化名。";
    PersonOf = "Person" "成员";
    // Overview
    ActiveToday = "Active people today" "今日活跃人数";
    ActiveWeek = "Active people this week" "本周活跃人数";
    ActiveMonth = "Active people this month" "本月活跃人数";
    LastWhole = "{period}: {value}, {change} ({percent}) on the one before" "{period}：{value}，较前一期 {change}（{percent}）";
    ActivePeople = "Active people" "活跃人数";
    ActiveByPeriod = "Active people by {period}" "按{period}的活跃人数";
    ActiveWhole = "people in the whole range" "人（整个范围）";
    MeetingsHeld = "Meetings" "会议数";
    MeetingTime = "Meeting time" "会议时长";
    AttendancesShort = "Participants" "参会人次";
    Participants = "People" "人数";
    HourWeek = "When people meet: hour by weekday" "何时开会：小时 × 星期";
    HourWeekNote = "Mean of distinct people over every such hour in the range, empty ones too." "范围内每个这样的小时的不同人数平均值，包括无人的小时。";
    Weekday = "Weekday" "星期";
    Hour = "Hour" "小时";
    TopDepartments = "Departments with the most people" "人数最多的部门";
    Completeness = "Completeness" "完整性";
    Developers = "Developers" "开发者";
    LinesAccepted = "Accepted lines" "采纳行数";
    AssistantUse = "The coding assistant" "编程助手";
    // Meetings
    ByDevice = "Devices" "设备";
    ByMedium = "Media" "媒体";
    ByUserKind = "Kinds of user" "用户类型";
    BySessionKind = "Kinds of session" "场次类型";
    ByApp = "Apps" "应用";
    ByUnit = "Data residency" "数据驻留";
    MeetingsBy = "Meetings by {period}" "按{period}的会议数";
    TimeBy = "Meeting time by {period}" "按{period}的会议时长";
    TopUsers = "Who met most" "参会最多的人";
    AtOnce = "Most at once" "最高同时在线";
    AtOnceBy = "Most at once, by {period}" "按{period}的最高同时在线";
    AtOnceNote = "Stays at one instant: two devices of one person are two." "同一时刻的在线次数：一人两台设备计为两次。";
    StaysAtOnce = "Stays at once" "同时在线";
    SessionsAtOnce = "Sessions at once" "同时进行的场次";
    FirstInstant = "First at" "首次出现于";
    Time = "Time" "时长";
    // People
    Search = "Search" "搜索";
    SearchPeople = "Name or id" "姓名或标识";
    FoundInDirectory = "In the directory" "通讯录中的结果";
    FoundNobody = "Nobody in the directory has this in a name or id." "通讯录中没有匹配的姓名或标识。";
    SearchConcealed = "Names are concealed, so nobody can be searched for." "姓名已隐藏，因此无法搜索。";
    PeopleActive = "Who attended" "出席的人";
    PeopleMeetings = "Who took part in the meetings that began in the range" "参加了此范围内开始的会议的人";
    PeoplePlace = "Who attended from {place}" "从{place}出席的人";
    PeopleNoDepartment = "Who attended without a department" "没有部门的出席者";
    PeopleInstant = "Who was there at {instant}" "{instant} 时在场的人";
    PeopleDevelopers = "Who used the assistant in {department}" "{department}中使用编程助手的人";
    OrderBy = "Order by" "排序";
    FirstSeen = "First" "首次";
    LastSeen = "Last" "最近";
    SilentNote = "Members of the directory without a stay in the range, in any app, meeting, call or room." "通讯录中在此范围内任何应用、会议、通话或房间均未出现的成员。";
    SilentNobody = "Every member has been seen in the range." "所有成员均已出现。";
    ActiveDays = "Active days" "活跃天数";
    WeeksOf = "Time by week" "按周时长";
    PlacesOf = "Places" "地区";
    DevicesOf = "Devices" "设备";
    UseOf = "Use of the coding assistant" "编程助手使用情况";
    LastUse = "Last use" "最近使用";
    AuditNote = "That you looked at this person is in the audit log." "您查看此人的记录已写入审计日志。";
    // Departments
    TreeOn = "The tree as it was on {day}" "{day} 的部门树";
    TreeNote = "People are counted with the departments that they belonged to on each day of their activity, once in each." "人员按其活动当日所属部门计入，每部门一次。";
    Members = "Members" "成员数";
    MembersOfShare = "Share of members" "成员占比";
    NoDepartment = "Without a department" "无部门";
    FilterBy = "Filter every page by this department" "全部页面按此部门筛选";
    // Places
    Provinces = "Provinces of China" "中国各省级行政区";
    ProvincesNote = "Equal squares, about where each lies; no border is drawn." "等大方格，大致按位置排列；不绘制边界。";
    Countries = "Countries and regions" "国家和地区";
    Place = "Place" "地区";
    PlaceUnknown = "Unknown place" "未知地区";
    // Assistant
    DevelopersBy = "Developers by day" "每日开发者";
    LinesBy = "Accepted lines by day" "每日采纳行数";
    ChatDevelopers = "Chat developers" "对话开发者";
    CompletionDevelopers = "Completion developers" "补全开发者";
    Turns = "Chat turns" "对话轮数";
    Suggested = "Suggested" "补全建议";
    Accepted = "Accepted" "采纳";
    Acceptance = "Acceptance" "采纳率";
    LinesChanged = "Changed lines" "变更行数";
    ByLanguage = "Languages" "编程语言";
    ByIde = "Completion by language and IDE" "按语言和 IDE 的补全";
    ByChat = "Chat by type and IDE" "按类型和 IDE 的对话";
    ChatType = "Type of chat" "对话类型";
    Ide = "IDE" "IDE";
    Language = "Language" "语言";
    DaysTooMany = "Day by day is shown for ranges of up to 400 days." "逐日显示仅适用于不超过 400 天的范围。";
    NoRoot = "The directory has no departments, so use is shown by developer alone." "通讯录没有部门，因此仅按开发者显示。";
    ManyRoots = "The directory has several departments at the top; shown is {department}." "通讯录有多个顶级部门；此处显示{department}。";
    TopDevelopers = "Developers with the most accepted lines" "采纳行数最多的开发者";
    // Sessions
    SessionsStarted = "Sessions that began in the range" "此范围内开始的场次";
    Began = "Began" "开始";
    FirstJoin = "First join" "首次加入";
    LastLeave = "Last leave" "最后离开";
    Attendees = "People" "人数";
    Stays = "Stays" "出席次数";
    StaysOf = "Each stay over time" "各次出席的时间";
    Joined = "Joined" "加入";
    Left = "Left" "离开";
    StaysHidden = "{count} stays of people outside your department are not listed." "您部门之外人员的 {count} 次出席未列出。";
    StaysMore = "The first {count} stays are drawn; the table has as many." "仅绘制前 {count} 次出席；表格相同。";
    // Data
    Sources = "Sources" "来源";
    Vendor = "Vendor" "厂商";
    LastEvent = "Last event" "最近事件";
    State = "State" "状态";
    Well = "Well" "正常";
    FailingSince = "Silent or failing since {since}" "自 {since} 起无数据或失败";
    OpenStays = "Open attendances" "未结束的出席";
    Refused = "Refused in a day" "一天内拒收";
    NoSources = "No sources are configured: facts come by request alone." "未配置来源：数据仅通过请求送入。";
    QuietDays = "Days without an attendance" "没有出席记录的日子";
    QuietNone = "Every day of the range that has passed has attendances." "范围内已过去的每一天都有出席记录。";
    Disputed = "Sessions whose facts disagree about their start" "开始时间说法不一的场次";
    FactsAhead = "Facts dated ahead" "日期在未来的数据";
    LateFacts = "Facts of the last day that came more than a day late" "最近一天迟到一天以上的数据";
    Receipts = "Receipts of the last day" "最近一天的回执";
    Receipt = "Receipt" "回执";
    Facts = "Facts" "数据条数";
    Given = "Given" "时间";
    Withdraw = "Withdraw" "撤回";
    WithdrawOf = "Withdraw receipt {number}" "撤回回执 {number}";
    Lake = "The lake" "数据湖";
    Version = "Version" "版本";
    Bytes = "Size" "大小";
    Backup = "Last backup" "最近备份";
    Verify = "Last verification" "最近校验";
    Differences = "{count} differences" "{count} 处差异";
    Never = "Never" "从未";
    NoReceipts = "No request stored facts in the last day." "最近一天没有请求存入数据。";
    // Access
    Accounts = "Accounts" "账户";
    Account = "Account" "账户";
    Role = "Role" "角色";
    RoleAdministrator = "Administrator" "管理员";
    RoleAnalyst = "Analyst" "分析员";
    RoleViewer = "Viewer of a department" "部门查看者";
    RoleLink = "Share link" "共享链接";
    RightPeople = "Sees people" "可查看人员";
    Yes = "Yes" "是";
    No = "No" "否";
    SignIns = "Signed in" "已登录";
    Browser = "Browser" "浏览器";
    LastUsed = "Last used" "最近使用";
    ThisBrowser = "this browser" "当前浏览器";
    End = "End" "结束";
    EndOf = "End the sign-in of {name}" "结束 {name} 的登录";
    ApiKeys = "Keys of the native API" "原生 API 密钥";
    Scopes = "Scopes" "权限范围";
    Expires = "Expires" "到期";
    Revoke = "Revoke" "吊销";
    RevokeOf = "Revoke {name}" "吊销 {name}";
    Links = "Share links" "共享链接";
    Page = "Page" "页面";
    MadeBy = "Made by" "创建者";
    Password = "Password" "密码";
    Audit = "Audit log" "审计日志";
    Who = "Who" "谁";
    What = "What" "操作";
    Whom = "Whom or what" "对象";
    When = "When" "时间";
    MakeAccount = "Make an account" "创建账户";
    MakeKey = "Make a key" "创建密钥";
    MakeLink = "Share a page" "共享页面";
    Make = "Make" "创建";
    Remove = "Remove" "移除";
    RemoveOf = "Remove {name}" "移除 {name}";
    MadeOnce = "Copy it now: it is not shown again." "请立即复制：不会再次显示。";
    Optional = "optional" "可选";
    // Sign-in, first start, errors
    SignInTo = "Sign in to {organization}" "登录{organization}";
    AccountName = "Account" "账户名";
    SignInFailed = "Account or password is wrong." "账户或密码错误。";
    SignInWait = "Too many attempts. Try again in {seconds} seconds." "尝试次数过多。请在 {seconds} 秒后重试。";
    SetupSay = "Make the first administrator. This link works once." "创建第一位管理员。此链接仅可使用一次。";
    SetupFailed = "The password must have 12 to 1,000 characters." "密码须为 12 至 1,000 个字符。";
    SetupMake = "Make the administrator" "创建管理员";
    NewPassword = "Password, at least 12 characters" "密码，至少 12 个字符";
    NotFound = "There is no such page." "没有此页面。";
    NotFoundTitle = "Not found" "未找到";
    Forbidden = "You may not see this." "您无权查看此内容。";
    ForbiddenTitle = "Not allowed" "无权限";
    BadTitle = "This link is wrong" "链接有误";
    BadParameter = "{parameter} is {value}, which is not known." "{parameter} 的值 {value} 无法识别。";
    NoPerson = "No such person is known in this range." "此范围内没有此人。";
    NoSession = "There is no such session." "没有此场次。";
    ToOverview = "To the overview" "返回概览";
    FailedTitle = "This went wrong" "出错了";
    FailedReport = "The report could not be answered: {reason}." "报表无法回答：{reason}。";
    FailedTooMuch = "The question is too large: ask for fewer days or fewer departments." "问题过大：请减少天数或部门。";
    FailedDepartment = "There is no such department." "没有此部门。";
    OtherLanguage = "简体中文" "English";
    Dark = "Dark" "深色";
    Light = "Light" "浅色";
    Footer = "rollcall: every number can be trusted, opened and reproduced." "rollcall：每个数字都可信、可展开、可重现。";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is filled in, in order of the alphabet.
    fn parts(text: &str) -> Vec<&str> {
        let mut parts: Vec<_> = text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect();
        parts.sort_unstable();
        parts
    }

    #[test]
    fn both_languages_say_the_same() {
        for word in Word::ALL {
            let (english, chinese) = (word.english(), word.chinese());
            assert!(!english.trim().is_empty() && !chinese.trim().is_empty(), "{word:?}");
            assert_eq!(parts(english), parts(chinese), "{word:?}");
            assert_eq!(english.matches('{').count(), english.matches('}').count(), "{word:?}");
            let ends = |text: &str| text.ends_with(['.', '。']);
            assert_eq!(ends(english), ends(chinese), "{word:?}");
            assert!(!chinese.contains(". ") && !chinese.contains(", "), "{word:?} has English punctuation");
        }
    }

    #[test]
    fn what_is_chinese_is_chinese() {
        let same = [Word::Office365, Word::Ide, Word::OtherLanguage];
        for word in Word::ALL.iter().filter(|word| !same.contains(word)) {
            assert!(word.chinese().chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)), "{word:?}");
            assert!(!word.english().chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)), "{word:?}");
        }
    }
}
