//! The shell script of a plan, run: with a stub in place of `aws`, and with values that somebody chose to harm.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::setup::{Folder, refused};

/// What people put where they may choose the text.
const HOSTILE: [&str; 7] = [
    "'; touch pwned; '",
    "$(touch pwned)",
    "`touch pwned`",
    "x\ntouch pwned",
    "\u{202e}dwnep hcuot",
    "--endpoint-url=http://203.0.113.9",
    "x' --query 'y",
];

/// Everything that an intruder does, with one text wherever a name may be chosen.
fn trail(text: &str) -> Vec<Value> {
    let calls = [
        ("iam", "CreateUser", json!({"userName": text}), Value::Null),
        (
            "iam",
            "CreateAccessKey",
            json!({"userName": text}),
            json!({"accessKey": {"accessKeyId": text, "userName": text}}),
        ),
        ("iam", "CreateLoginProfile", json!({"userName": text}), Value::Null),
        ("iam", "CreateRole", json!({"roleName": text}), Value::Null),
        ("iam", "AttachRolePolicy", json!({"roleName": text, "policyArn": text}), Value::Null),
        ("iam", "PutUserPolicy", json!({"userName": text, "policyName": text}), Value::Null),
        ("iam", "AddUserToGroup", json!({"userName": text, "groupName": text}), Value::Null),
        ("iam", "EnableMFADevice", json!({"userName": text, "serialNumber": text}), Value::Null),
        ("secretsmanager", "GetSecretValue", json!({"secretId": text}), Value::Null),
        ("ssm", "GetParameters", json!({"names": [text, "/app/token"]}), Value::Null),
        (
            "ssm",
            "SendCommand",
            json!({"documentName": text, "instanceIds": [text]}),
            json!({"command": {"commandId": text}}),
        ),
        ("ssm", "StartSession", json!({"target": text}), json!({"sessionId": text})),
        ("ec2", "RunInstances", json!({}), json!({"instancesSet": {"items": [{"instanceId": text}]}})),
        (
            "ec2",
            "ModifySnapshotAttribute",
            json!({"snapshotId": text, "createVolumePermission": {"add": {"items": [{"userId": text}]}}}),
            Value::Null,
        ),
        (
            "ec2",
            "AuthorizeSecurityGroupIngress",
            json!({"groupId": text, "ipPermissions": {"items": [{"fromPort": 22, "toPort": 22, "ipRanges": {"items": [{"cidrIp": text}]}}]}}),
            json!({"securityGroupRuleSet": {"items": [{"securityGroupRuleId": text}]}}),
        ),
        ("s3", "PutBucketPolicy", json!({"bucketName": text}), Value::Null),
        ("s3", "DeleteBucket", json!({"bucketName": text}), Value::Null),
        ("kms", "ScheduleKeyDeletion", json!({"keyId": text}), Value::Null),
        ("lambda", "CreateFunction20150331", json!({"functionName": text}), Value::Null),
        (
            "rolesanywhere",
            "CreateTrustAnchor",
            json!({"name": text}),
            json!({"trustAnchor": {"trustAnchorId": text}}),
        ),
        ("cloudtrail", "StopLogging", json!({"name": text}), Value::Null),
        ("guardduty", "UpdateDetector", json!({"detectorId": text, "enable": false}), Value::Null),
        (
            "sts",
            "AssumeRole",
            json!({"roleArn": format!("arn:aws:iam::111122223333:role/{text}"), "roleSessionName": text}),
            json!({"credentials": {"accessKeyId": text}}),
        ),
    ];
    let mut all = Vec::new();
    for (at, (service, action, request, response)) in calls.into_iter().enumerate() {
        let mut call = refused(&format!("e-{at:02}"), &format!("2026-03-02T10:{at:02}:00Z"), "ops");
        call["userIdentity"] = json!({"type": "IAMUser", "arn": format!("arn:aws:iam::111122223333:user/{text}"),
            "userName": text, "accountId": "111122223333", "principalId": "AIDAEXAMPLE", "accessKeyId": "AKIAEXAMPLE000000ADA"});
        (call["eventSource"], call["eventName"]) = (format!("{service}.amazonaws.com").into(), action.into());
        (call["requestParameters"], call["responseElements"]) = (request, response);
        call["readOnly"] = action.starts_with("Get").into();
        call["userAgent"] = text.into();
        call.as_object_mut().unwrap().retain(|key, _| !key.starts_with("error"));
        all.push(call);
    }
    all
}

const RULE: &str = "[rule]\nrule_id = \"r\"\nname = \"R\"\ndescription = \"d\"\nseverity = \"medium\"\nrisk_score = 1\n\
                    type = \"query\"\nquery = \"event.action: StopLogging\"\n";

/// Runs the script of the plan for such a trail, says yes to everything, and gives the commands that reached `aws`.
fn ran(text: &str) -> (Vec<Vec<String>>, String) {
    let folder = Folder::new();
    folder.lines("trail.ndjson", &trail(text));
    folder.write("rules/r.toml", RULE);
    let plan = folder.run(&[
        "respond",
        "trail.ndjson",
        "-r",
        "rules",
        "--rule",
        "R",
        "-f",
        "sh",
        "--now",
        "2026-03-03",
    ]);
    let script = plan.printed(0).to_owned();
    folder.write("work/plan.sh", &script);
    // Each argument in a line of its own, and a line of its own between commands.
    folder.write("bin/aws", "#!/bin/sh\nprintf '%s\\n' \"$@\" '=====' >> \"$LOG\"\n");
    std::fs::set_permissions(folder.join("bin/aws"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut child = Command::new("sh")
        .arg("plan.sh")
        .current_dir(folder.join("work"))
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", folder.join("bin").display()))
        .env("LOG", folder.join("log"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all("y\n".repeat(200).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{script}");
    let left: Vec<String> = std::fs::read_dir(folder.join("work"))
        .unwrap()
        .map(|it| it.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(left, ["plan.sh"], "the script made something: {script}");
    let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    let commands = log.split("=====\n").filter(|it| !it.is_empty());
    (commands.map(|it| it.lines().map(str::to_owned).collect()).collect(), script)
}

#[test]
fn a_script_runs_what_is_ready_and_nothing_else() {
    let (commands, script) = ran("mallory");
    let has = |words: &[&str]| {
        commands.iter().any(|it| words.iter().all(|word| it.iter().any(|part| part == word)))
    };
    assert!(has(&["iam", "update-access-key", "AKIAEXAMPLE000000ADA", "Inactive"]), "{commands:?}");
    assert!(has(&["cloudtrail", "start-logging", "mallory"]), "{commands:?}");
    assert!(
        has(&["ssm", "put-parameter"])
            == script.lines().any(|it| it.trim().starts_with("aws ssm put-parameter"))
    );
    // What cannot be taken back is printed only.
    let removes = |it: &Vec<String>| {
        it.get(1).is_some_and(|word| {
            ["delete-user", "delete-role", "delete-access-key", "delete-login-profile"]
                .contains(&word.as_str())
        })
    };
    assert!(!commands.iter().any(removes), "{commands:?}");
    assert!(script.contains("# aws iam delete-login-profile --user-name mallory"), "{script}");
    // Nothing that is still to be filled in was run.
    assert!(!commands.iter().flatten().any(|it| it.contains('<') || it.contains("file://")), "{commands:?}");
}

#[test]
fn hostile_names_reach_no_command() {
    for text in HOSTILE {
        let (commands, script) = ran(text);
        for part in commands.iter().flatten() {
            assert!(!part.contains("pwned") && !part.contains("dwnep"), "{text:?}: {part}\n{script}");
            assert!(!part.starts_with("--endpoint-url") && !part.contains('\''), "{text:?}: {part}");
        }
        // In comments and questions, too, nothing steers a terminal or ends the line.
        for line in script.lines().filter(|it| it.contains("pwned")) {
            assert!(line.starts_with("# "), "{text:?}: {line}");
        }
        assert!(!script.contains('\u{202e}'), "{text:?}");
        assert!(commands.iter().any(|it| it.iter().any(|part| part == "get-caller-identity")));
    }
}
