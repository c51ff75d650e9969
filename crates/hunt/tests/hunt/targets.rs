//! What commands of plans name: each thing that was made, read or opened, in its region and account; invented records.

use serde_json::{Value, json};

use crate::exceptions::{exceptions, item};
use crate::questions::{call, commands, has, one, plan, with};
use crate::setup::{self, DAY, DAY_ONE, Folder, HOUR, MINUTE, NOW};

const POLICY: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

fn at(minute: i64) -> i64 {
    DAY_ONE + minute * MINUTE
}

fn made_key(id: &str, minute: i64, user: Option<&str>, key: &str) -> Value {
    let request = user.map_or(Value::Null, |user| json!({"userName": user}));
    with(call(id, at(minute), "iam", "CreateAccessKey", request), |it| {
        it["responseElements"] =
            json!({"accessKey": {"userName": user, "accessKeyId": key, "status": "Active"}});
    })
}

/// What somebody did who came to stay.
fn story() -> Vec<Value> {
    let read = |id: &str, minute, secret: &str| {
        call(id, at(minute), "secretsmanager", "GetSecretValue", json!({"secretId": secret}))
    };
    vec![
        call("e1", at(0), "iam", "CreateUser", json!({"userName": "mallory"})),
        made_key("e2", 1, Some("mallory"), "AKIAEXAMPLE00MALLORY"),
        made_key("e3", 2, None, "AKIAEXAMPLE00000ADA2"),
        call("e4", at(3), "iam", "AttachUserPolicy", json!({"userName": "mallory", "policyArn": POLICY})),
        call("e5", at(4), "iam", "CreateUser", json!({"userName": "gone"})),
        call("e6", at(5), "iam", "AttachUserPolicy", json!({"userName": "gone", "policyArn": POLICY})),
        call("e7", at(6), "iam", "DeleteUser", json!({"userName": "gone"})),
        with(read("e8", 7, "prod/db"), |it| it["awsRegion"] = "us-east-2".into()),
        read("e9", 8, "prod/api"),
        call(
            "e10",
            at(9),
            "ssm",
            "GetParameters",
            json!({"names": ["/app/password", "/app/token"], "withDecryption": true}),
        ),
        // S3 decrypts on its way: nothing of that is a secret.
        call(
            "e11",
            at(10),
            "kms",
            "Decrypt",
            json!({"encryptionContext": {"aws:s3:arn": "arn:aws:s3:::logs/1"}}),
        ),
        with(
            call(
                "e12",
                at(11),
                "ec2",
                "AuthorizeSecurityGroupIngress",
                json!({"groupId": "sg-0123456789abcdef0", "ipPermissions": {"items": [
                    {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}
                ]}}),
            ),
            |it| {
                it["responseElements"] = json!({"securityGroupRuleSet": {"items": [
                    {"groupId": "sg-0123456789abcdef0", "securityGroupRuleId": "sgr-0123456789abcdef0"}
                ]}});
            },
        ),
    ]
}

#[test]
fn each_thing_that_was_made_has_its_command() {
    let it = one(&story(), "CreateUser and event.id: e1", "TA0003");
    let plan = plan(&it);
    let disable = commands(&plan, "R10-disable");
    for line in [
        "aws iam update-access-key --user-name mallory --access-key-id AKIAEXAMPLE00MALLORY --status Inactive",
        "aws iam update-access-key --user-name ada --access-key-id AKIAEXAMPLE00000ADA2 --status Inactive",
        "aws ec2 revoke-security-group-ingress --region eu-west-1 --group-id sg-0123456789abcdef0 --security-group-rule-ids sgr-0123456789abcdef0",
    ] {
        assert!(disable.lines().any(|it| it == line), "{line}\n{disable}");
    }
    assert!(disable.contains("put-user-policy --user-name mallory"), "{disable}");
    // What is gone needs nothing more, which is said.
    assert!(!disable.contains("gone"), "{disable}");
    let step = plan.steps.iter().find(|it| it.id == "R10-disable").unwrap();
    assert!(step.command.notes.iter().any(|it| it.contains("`gone`")), "{:?}", step.command.notes);
    has(&it, "made_gone", &json!(["gone"]));
    let rights = commands(&plan, "R4-rights");
    assert_eq!(
        rights.lines().collect::<Vec<_>>(),
        [
            "aws iam list-attached-user-policies --user-name mallory",
            &format!("aws iam detach-user-policy --user-name mallory --policy-arn {POLICY}"),
        ]
    );
}

#[test]
fn each_secret_is_rotated_where_it_is() {
    let it = one(&story(), "CreateUser and event.id: e1", "TA0003");
    let rotate = commands(&plan(&it), "R9");
    for part in [
        "rotate-secret --region us-east-2 --secret-id prod/db",
        "rotate-secret --region eu-west-1 --secret-id prod/api",
        "put-parameter --region eu-west-1 --name /app/password --type SecureString",
        "put-parameter --region eu-west-1 --name /app/token --type SecureString",
    ] {
        assert!(rotate.contains(part), "{part}\n{rotate}");
    }
    assert_eq!(it.fact("secrets_read").unwrap().targets.len(), 4);
}

#[test]
fn a_story_has_phases_by_tactic() {
    let it = one(&story(), "CreateUser and event.id: e1", "TA0003");
    let related = it.steps.iter().find(|it| it.id.as_deref() == Some("related")).unwrap();
    let phases = related.results.iter().find(|it| it.id == "phases").unwrap();
    let told: Vec<[&str; 3]> =
        phases.rows.iter().map(|it| [&*it.cells[0], &*it.cells[1], &*it.cells[3]]).collect();
    assert_eq!(
        told,
        [
            ["Persistence", "2026-03-02 00:00:00", "4"],
            ["Privilege Escalation", "2026-03-02 00:03:00", "2"],
            ["Impact", "2026-03-02 00:06:00", "1"],
            ["Credential Access", "2026-03-02 00:07:00", "3"],
            ["Discovery", "2026-03-02 00:10:00", "1"],
            ["Defense Evasion", "2026-03-02 00:11:00", "1"],
        ]
    );
    let opened = "`user/ada` opened port 22 of `sg-0123456789abcdef0` to everybody at 2026-03-02 00:11:00.";
    assert!(related.statements.iter().any(|it| it == opened), "{:?}", related.statements);
}

/// A role of another account, taken with the user's key; and a session of it.
fn onward() -> Vec<Value> {
    let role = "arn:aws:iam::444455556666:role/deploy";
    let assume = with(
        call("e1", at(0), "sts", "AssumeRole", json!({"roleArn": role, "roleSessionName": "s"})),
        |it| {
            it["responseElements"] = json!({
                "credentials": {"accessKeyId": "ASIAEXAMPLE00DEPLOY1"},
                "assumedRoleUser": {"arn": "arn:aws:sts::444455556666:assumed-role/deploy/s"},
            });
        },
    );
    let secret = call("e2", at(1), "iam", "CreateUser", json!({"userName": "mallory"}));
    vec![assume, secret]
}

#[test]
fn sessions_end_in_the_account_of_their_role() {
    let it = one(&onward(), "CreateUser", "TA0003");
    let plan = plan(&it);
    let end = commands(&plan, "R5");
    let lines: Vec<&str> = end.lines().collect();
    assert_eq!(lines[0], "# account 444455556666", "{end}");
    assert!(
        lines[1]
            .starts_with("aws iam put-role-policy --role-name deploy --policy-name AWSRevokeOlderSessions")
    );
    let step = plan.steps.iter().find(|it| it.id == "R5").unwrap();
    assert!(
        step.command.notes.iter().any(|it| it.contains("`ASIAEXAMPLE00DEPLOY1` (deploy)")),
        "{:?}",
        step.command
    );
}

#[test]
fn the_rule_that_watches_can_be_loaded_and_finds_them() {
    let it = one(&story(), "CreateUser and event.id: e1", "TA0003");
    let watch = plan(&it).watch.unwrap();
    let set = rule::load_text("watch.toml", &watch);
    assert!(set.problems.is_empty(), "{:?}\n{watch}", set.problems);
    let hunt = |time: i64, change: fn(&mut Value)| {
        let folder = Folder::new();
        let record = with(call("later", time, "s3", "ListBuckets", Value::Null), change);
        folder.write("trail.json", json!({"Records": [record]}).to_string());
        let options = setup::options(&folder, &set.rules);
        setup::run(&hunt::HuntOptions { now: time + DAY, ..options }).alerts.len()
    };
    assert_eq!(hunt(NOW + HOUR, |_| {}), 1, "{watch}");
    let by_made_key = |it: &mut Value| {
        it["sourceIPAddress"] = "198.51.100.9".into();
        it["userIdentity"] = json!({"type": "IAMUser", "userName": "mallory", "accessKeyId": "AKIAEXAMPLE00MALLORY",
            "arn": "arn:aws:iam::111122223333:user/mallory", "accountId": "111122223333", "principalId": "AIDAM"});
    };
    assert_eq!(hunt(NOW + HOUR, by_made_key), 1);
    let by_others = |it: &mut Value| {
        it["sourceIPAddress"] = "198.51.100.9".into();
        it["userIdentity"] = json!({"type": "IAMUser", "userName": "eve", "accessKeyId": "AKIAEXAMPLE00000EVE1",
            "arn": "arn:aws:iam::111122223333:user/eve", "accountId": "111122223333", "principalId": "AIDAE"});
    };
    assert_eq!(hunt(NOW + HOUR, by_others), 0);
    assert_eq!(hunt(NOW + 15 * DAY, |_| {}), 0, "it has an end");
}

/// The exception that an investigation proposes hides its alert, whatever the program that called.
#[test]
fn the_exception_silences_exactly_this() {
    for agent in [
        "aws-cli/2.15.30",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
        "[Boto3/1.34 md/Botocore]",
        "red-team_018e6dc0-e908-42d1-8c24-92025293ea44",
        "ec2.amazonaws.com",
    ] {
        let record = with(call("e1", DAY_ONE, "iam", "CreateUser", json!({"userName": "u"})), |it| {
            it["userAgent"] = agent.into();
        });
        let folder = Folder::new();
        folder.write("trail.json", json!({"Records": [record]}).to_string());
        let it = one(&[record], "CreateUser", "TA0003");
        let exception = it.exception.unwrap();
        assert_eq!(exception.hides, 1);
        let entries: Vec<Value> = exception.entries.iter().map(investigate::ExceptionEntry::item).collect();
        let lines = "type = \"query\"\nquery = \"event.action: CreateUser\"\nfrom = \"now-6m\"\n";
        let mut rule = setup::rule("Of a user", lines);
        assert_eq!(setup::hunt_in(&folder, &[rule.clone()]).alerts.len(), 1);
        let list = json!({"id": "1", "list_id": "known", "type": "detection", "namespace_type": "single"});
        rule.exceptions_list.push(list);
        let mut options = setup::options(&folder, &[rule]);
        options.exceptions = exceptions(&[item(&Value::Array(entries.clone()), &json!({}))]);
        assert_eq!(setup::run(&options).alerts.len(), 0, "{agent}: {entries:?}");
    }
}

#[test]
fn a_machine_has_its_card() {
    const INSTANCE: &str = "i-0123456789abcdef0";
    const GROUP: &str = "sg-0123456789abcdef0";
    let launch = with(call("e1", at(0), "ec2", "RunInstances", json!({"instanceType": "t3.micro"})), |it| {
        it["responseElements"] = json!({"instancesSet": {"items": [{
            "instanceId": INSTANCE, "imageId": "ami-0123456789abcdef0", "subnetId": "subnet-0123456789abcdef0",
            "privateIpAddress": "10.0.0.7", "groupSet": {"items": [{"groupId": GROUP}]},
            "metadataOptions": {"httpTokens": "optional"},
            "iamInstanceProfile": {"arn": "arn:aws:iam::111122223333:instance-profile/web"},
        }]}});
    });
    let tag = call(
        "e2",
        at(1),
        "ec2",
        "CreateTags",
        json!({"resourcesSet": {"items": [{"resourceId": INSTANCE}]}, "tagSet": {"items": [{"key": "Env", "value": "prod"}]}}),
    );
    let open = call(
        "e3",
        at(2),
        "ec2",
        "AuthorizeSecurityGroupIngress",
        json!({"groupId": GROUP, "ipPermissions": {"items": [
            {"ipProtocol": "tcp", "fromPort": 3389, "toPort": 3389, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}
        ]}}),
    );
    let asked = call("e4", at(3), "ec2", "GetPasswordData", json!({"instanceId": INSTANCE}));
    let it = one(&[launch, tag, open, asked], "GetPasswordData", "TA0006");
    let step = it.steps.iter().find(|it| it.id.as_deref() == Some("instances")).unwrap();
    for said in [
        "subnet `subnet-0123456789abcdef0`",
        "private address `10.0.0.7`",
        "security groups `sg-0123456789abcdef0`",
        "instance profile `instance-profile/web`",
        "metadata service of version 1, too",
        "tags `Env=prod`",
        "can be reached at port 3389 by everybody since 2026-03-02 00:02:00: `user/ada` opened group",
    ] {
        assert!(step.statements.iter().any(|it| it.contains(said)), "{said}: {:#?}", step.statements);
    }
}

/// A trail of an account is in the data if somebody in it took credentials there.
#[test]
fn other_accounts_are_told_by_their_trails() {
    let share = |account: &str| {
        call(
            "e1",
            at(0),
            "ec2",
            "ModifySnapshotAttribute",
            json!({"snapshotId": "snap-0123456789abcdef0", "createVolumePermission": {"add": {"items": [{"userId": account}]}}}),
        )
    };
    let there = with(
        call(
            "e2",
            at(1),
            "sts",
            "AssumeRole",
            json!({"roleArn": "arn:aws:iam::444455556666:role/r", "roleSessionName": "s"}),
        ),
        |it| {
            it["recipientAccountId"] = "444455556666".into();
            it["userIdentity"] = json!({"type": "IAMUser", "userName": "bob", "accountId": "444455556666",
                "arn": "arn:aws:iam::444455556666:user/bob", "accessKeyId": "AKIAEXAMPLE00000BOB1", "principalId": "AIDAB"});
            it["responseElements"] = json!({"credentials": {"accessKeyId": "ASIAEXAMPLE00000BOB2"}});
        },
    );
    for (account, own) in [("444455556666", json!(["444455556666"])), ("777788889999", json!([]))] {
        let it = one(&[share(account), there.clone()], "ModifySnapshotAttribute", "TA0010");
        has(&it, "shared_with", &json!([account]));
        has(&it, "own_accounts_named", &own);
        let take = commands(&plan(&it), "R7-sharing");
        assert!(take.contains(&format!("--operation-type remove --user-ids {account}")), "{take}");
        let ask = commands(&plan(&it), "R4-account");
        assert_eq!(ask, format!("aws organizations describe-account --account-id {account}"));
    }
}
