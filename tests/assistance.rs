//! Assistance facts from the request to the native reports, on the real executable: bookings, subtrees, moves, breakdowns.

use crate::harness::{KEY, OTHER_KEY, Server};

/// `d-root` over `d-team`; `u1` belongs to `d-team` and from 2024-11-14 on to `d-root`, `u2` to `d-root`.
const DIRECTORY: &str = r#"{"departments":[{"id":"d-root","name":"Root"},{"id":"d-team","parent_id":"d-root","name":"Team"}],
"users":[{"id":"u1","name":"One","departments":["d-team"]},{"id":"u1","name":"One","departments":["d-root"],"from":"2024-11-14"},
{"id":"u2","name":"Two","departments":["d-root"]}]}"#;

/// 2024-11-13 in Asia/Shanghai; the last is of the next day, of somebody whom the directory does not know.
const FACTS: &str = r#"{"user_id":"u1","at":"2024-11-13T09:00:00+08:00","kind":"chat","chat_type":"GENERATE_TESTCASE","ide":"JetBrains","language":"java","turns":2,"accepted":1,"lines_accepted":10}
{"user_id":"u1","at":"2024-11-13T10:00:00+08:00","kind":"completion","language":"java","ide":"jetbrains","suggested":5,"accepted":3,"lines_accepted":4,"lines_changed":4}
{"user_id":"u2","at":"2024-11-12T16:00:00Z","kind":"completion","language":"go","ide":"vscode","suggested":2}
{"user_id":"u2","at":"2024-11-13T23:59:59.999+08:00","kind":"edit","language":"go","ide":"vscode","lines_changed":30}
{"user_id":"u3","at":"2024-11-14T00:00:00+08:00","kind":"chat","chat_type":"我的命令","department_id":"elsewhere"}
"#;

fn server() -> Server {
    let server = Server::new();
    fill(&server);
    server
}

fn fill(server: &Server) {
    let request = server.request("PUT", "/v1/directory").bearer_auth(KEY).header("content-type", "application/json");
    assert_eq!(server.send(request.body(DIRECTORY)).unwrap().status, 200);
    assert_eq!(server.ingest_to("/v1/assistance", FACTS).unwrap().accepted, 5);
}

fn csv(server: &Server, path: &str) -> String {
    let answer = server.get(&format!("/v1/reports/{path}&from=2024-11-13&to=2024-11-14&format=csv"), KEY).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    // The instants of days are tested elsewhere.
    answer.text().replace("2024-11-12T16:00:00Z,2024-11-13T16:00:00Z,", "").replace("2024-11-13T16:00:00Z,2024-11-14T16:00:00Z,", "")
}

#[test]
fn departments_cover_those_below_them_and_count_each_developer_once() {
    let server = server();
    assert_eq!(
        csv(&server, "department-days?"),
        "date,from,to,department,name,developers,chat_developers,completion_developers,turns,turns_accepted,suggested,accepted,\
         lines_accepted,lines_changed,last_use\n\
         2024-11-13,d-root,Root,2,1,2,2,1,7,3,14,34,2024-11-13T02:00:00Z\n\
         2024-11-13,d-team,Team,1,1,1,2,1,5,3,14,4,2024-11-13T02:00:00Z\n\
         2024-11-14,d-root,Root,0,0,0,0,0,0,0,0,0,\n\
         2024-11-14,d-team,Team,0,0,0,0,0,0,0,0,0,\n\
         2024-11-14,elsewhere,,1,1,0,1,0,0,0,0,0,2024-11-13T16:00:00Z\n"
    );
    let root = csv(&server, "department-days?department=d-root&subtree=false&by=whole");
    assert!(root.ends_with("d-root,Root,1,0,1,0,0,2,0,0,30,2024-11-12T16:00:00Z\n"), "{root}");
    let unknown = server.get("/v1/reports/department-days?department=nowhere&from=2024-11-13&to=2024-11-14", KEY).unwrap();
    assert_eq!((unknown.status, unknown.json()["detail"].as_str()), (404, Some("no such department: nowhere")));
    let isolated = server.get("/v1/reports/department-days?department=elsewhere&from=2024-11-13&to=2024-11-14", OTHER_KEY).unwrap();
    assert_eq!(isolated.status, 404, "{}", isolated.text());
}

#[test]
fn breakdowns_are_rows_of_their_own() {
    let server = server();
    assert_eq!(
        csv(&server, "department-days?breakdown=coding&department=d-root"),
        "date,from,to,department,name,language,developers,lines_accepted,lines_changed\n\
         2024-11-13,d-root,Root,go,1,0,30\n2024-11-13,d-root,Root,java,1,14,4\n"
    );
    assert_eq!(
        csv(&server, "department-days?breakdown=completion&department=d-root"),
        "date,from,to,department,name,language,ide,developers,suggested,accepted,lines_accepted,lines_changed\n\
         2024-11-13,d-root,Root,go,vscode,1,2,0,0,0\n2024-11-13,d-root,Root,java,jetbrains,1,5,3,4,4\n"
    );
    assert_eq!(
        csv(&server, "developer-days?breakdown=chatting"),
        "date,from,to,user,name,chat_type,ide,turns,accepted\n\
         2024-11-13,u1,One,GENERATE_TESTCASE,jetbrains,2,1\n2024-11-14,u3,,我的命令,,1,0\n"
    );
}

#[test]
fn developers_belong_to_a_department_by_the_directory_of_the_day_or_by_their_facts() {
    let server = server();
    let rows = |query: &str| {
        let text = csv(&server, &format!("developer-days?{query}"));
        let cells = |line: &str| line.split(',').take(2).collect::<Vec<_>>().join(" ");
        text.lines().skip(1).map(cells).collect::<Vec<_>>()
    };
    assert_eq!(rows(""), ["2024-11-13 u1", "2024-11-13 u2", "2024-11-14 u1", "2024-11-14 u2", "2024-11-14 u3"]);
    assert_eq!(rows("department=d-team"), ["2024-11-13 u1"]);
    assert_eq!(rows("department=d-root&subtree=false"), ["2024-11-13 u2", "2024-11-14 u1", "2024-11-14 u2"]);
    assert_eq!(rows("department=elsewhere"), ["2024-11-14 u3"]);
    assert_eq!(rows("user=u3"), ["2024-11-14 u3"]);
    assert_eq!(rows("user=nobody"), Vec::<String>::new());
    let both = server.get("/v1/reports/developer-days?user=u1&department=d-root&from=2024-11-13&to=2024-11-14", KEY).unwrap();
    assert_eq!((both.status, both.json()["detail"].as_str()), (400, Some("department d-root: expected no department beside a user")));
}

#[test]
fn facts_stay_booked_where_they_were_when_the_directory_changes() {
    let mut server = server();
    let before = csv(&server, "department-days?department=d-team");
    let moved = DIRECTORY.replace(r#""departments":["d-team"]"#, r#""departments":["d-root"]"#);
    let request = server.request("PUT", "/v1/directory").bearer_auth(KEY).header("content-type", "application/json");
    assert_eq!(server.send(request.body(moved)).unwrap().status, 200);
    assert_eq!(server.ingest_to("/v1/assistance", FACTS).unwrap().duplicate, 5);
    assert_eq!(csv(&server, "department-days?department=d-team"), before);
    server.kill();
    let server = Server::start(server.home());
    assert_eq!(csv(&server, "department-days?department=d-team"), before);
}

#[test]
fn an_answer_with_too_many_rows_is_refused_before_it_is_made() {
    let server = Server::with("[limits]\nreport_rows = 4\n");
    fill(&server);
    let ask = |query: &str| server.get(&format!("/v1/reports/{query}from=2024-11-13&to=2024-11-14"), KEY).unwrap();
    let refused = ask("department-days?");
    let why = "rows 5: expected no more than limits.report_rows; ask for fewer days, one department or user, or by=whole";
    assert_eq!((refused.status, refused.json()["detail"].as_str()), (400, Some(why)));
    assert_eq!(ask("developer-days?").status, 400);
    assert_eq!(ask("department-days?by=whole&").status, 200);
    assert_eq!(ask("developer-days?by=whole&").status, 200);
}

#[test]
fn a_question_that_takes_too_many_cells_is_refused() {
    let server = Server::with("[limits]\nreport_cells = 3\n");
    fill(&server);
    let ask = |query: &str| server.get(&format!("/v1/reports/{query}from=2024-11-13&to=2024-11-14"), KEY).unwrap();
    let refused = ask("department-days?by=whole&");
    let why = "the report takes more than 3 cells, one for each day and department: ask for fewer days or fewer departments at a time (limits.report_cells)";
    assert_eq!((refused.status, refused.json()["detail"].as_str()), (400, Some(why)));
    assert_eq!(ask("active-users?").status, 200);
}

#[test]
fn an_answer_that_is_given_again_is_never_too_old() {
    let server = server();
    for number in 1..=20 {
        let developers = |key| {
            let answer = server.get("/v1/reports/developer-days?by=whole&from=2025-01-01&to=2025-12-31", key).unwrap();
            answer.json()["rows"].as_array().unwrap().iter().filter(|row| row["turns"] != 0).count()
        };
        let of_other = developers(OTHER_KEY);
        let at = format!("2025-03-01T00:00:{number:02}Z");
        let fact = format!(r#"{{"user_id":"new{number}","at":"{at}","kind":"chat","chat_type":"x","turns":1}}"#);
        assert_eq!(server.ingest_to("/v1/assistance", fact).unwrap().accepted, 1);
        assert_eq!([developers(KEY), developers(KEY), developers(OTHER_KEY), of_other], [number, number, 0, 0]);
    }
}
