//! The generator as a whole: determinism, validity, counts, shape, ground truth.

use super::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules/aws");

fn options(seed: u64, records: u64) -> Options {
    Options {
        seed,
        records,
        size: Size { accounts: 3, regions: 2, principals: 20 },
        days: 3,
        start: 1_772_409_600, // 2026-03-02T00:00:00Z
        attacks: vec!["all".to_owned()],
        chains: 0,
        repeat_attacks: 1,
        sensitive: 2_000,
        records_per_file: 50,
    }
}

/// All records of the data, and what is known about its attacks.
fn generate(options: &Options) -> (Vec<Value>, Vec<Truth>) {
    let folder = tempfile::tempdir().unwrap();
    let data = Data::new(options, Path::new(RULES)).unwrap();
    let written = data.write(folder.path(), Format::Ndjson, None).unwrap();
    let text = std::fs::read_to_string(folder.path().join("records.ndjson")).unwrap();
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(written.records, records.len() as u64);
    (records, data.truths)
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_path_buf(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn unpacked(gzip: &[u8]) -> String {
    // The last four bytes of a gzip file are the length of its text.
    let length = u32::from_le_bytes(gzip[gzip.len() - 4..].try_into().unwrap());
    let mut text = vec![0; length as usize];
    libdeflater::Decompressor::new().gzip_decompress(gzip, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn the_bundled_example_is_what_its_readme_says_makes_it() {
    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }
    let folder = tempfile::tempdir().unwrap();
    let cli = <Cli as clap::Parser>::parse_from(["generate", "--preset", "example", "--out", "cloudtrail"]);
    let data = Data::new(&cli.args.options().unwrap(), Path::new(RULES)).unwrap();
    data.write(folder.path(), Format::S3, None).unwrap();
    // Compared unpacked: another version of the compressor may pack differently.
    let texts = |folder: &Path| -> BTreeMap<PathBuf, String> {
        files(folder).into_iter().map(|(path, bytes)| (path, unpacked(&bytes))).collect()
    };
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/cloudtrail");
    let (bundled, made) = (texts(&bundled), texts(folder.path()));
    assert!(bundled == made, "examples/cloudtrail is out of date: make it anew as its README says");
}

#[test]
fn the_same_seed_gives_the_same_bytes_with_any_number_of_threads() {
    let write = |seed, threads| {
        let folder = tempfile::tempdir().unwrap();
        let data = Data::new(&options(seed, 2_000), Path::new(RULES)).unwrap();
        data.write(folder.path(), Format::S3, Some(threads)).unwrap();
        files(folder.path())
    };
    let first = write(5, 1);
    assert!(first.len() > 10);
    assert_eq!(first, write(5, 4));
    assert_ne!(first, write(6, 1));
}

#[test]
fn files_are_gzip_in_the_layout_of_cloudtrail_and_hold_what_their_name_says() {
    let folder = tempfile::tempdir().unwrap();
    let data = Data::new(&options(2, 3_000), Path::new(RULES)).unwrap();
    let written = data.write(folder.path(), Format::S3, None).unwrap();
    let mut records = 0;
    for (path, bytes) in files(folder.path()) {
        let file: Value = serde_json::from_str(&unpacked(&bytes)).unwrap();
        let parts: Vec<&str> = path.iter().map(|part| part.to_str().unwrap()).collect();
        let ["AWSLogs", account, "CloudTrail", region, year, month, day, name] = parts[..] else {
            panic!("not the layout of CloudTrail: {}", path.display());
        };
        assert!(name.starts_with(&format!("{account}_CloudTrail_{region}_2026")), "{name}");
        for record in file["Records"].as_array().unwrap() {
            assert_eq!(record["recipientAccountId"], account);
            assert_eq!(record["awsRegion"], region);
            let time = record["eventTime"].as_str().unwrap();
            assert!(time.starts_with(&format!("{year}-{month}-{day}T")), "{time} in {}", path.display());
            records += 1;
        }
    }
    assert_eq!((records, written.records), (3_000, 3_000));
}

#[test]
fn records_are_whole_and_vary_as_in_real_accounts() {
    let (records, _) = generate(&options(1, 20_000));
    assert_eq!(records.len(), 20_000);
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let mut identities = BTreeSet::new();
    let mut ids = BTreeSet::new();
    let (mut errors, mut bytes) = (0, 0);
    for record in &records {
        for key in
            ["eventVersion", "userIdentity", "eventTime", "eventSource", "awsRegion", "sourceIPAddress"]
        {
            assert!(!record[key].is_null(), "{key} is missing: {record}");
        }
        assert!(record["userIdentity"]["arn"].is_string() || record["userIdentity"]["invokedBy"].is_string());
        assert!(ids.insert(record["eventID"].as_str().unwrap()), "an event id twice");
        *names.entry(record["eventName"].as_str().unwrap()).or_default() += 1;
        identities.insert(record["userIdentity"]["type"].as_str().unwrap());
        errors += usize::from(record.get("errorCode").is_some());
        bytes += serde_json::to_string(record).unwrap().len();
    }
    assert!(names.len() >= 60, "only {} event names", names.len());
    assert_eq!(identities.into_iter().collect::<Vec<_>>(), ["AWSService", "AssumedRole", "IAMUser"]);
    let errors = errors * 100 / records.len();
    assert!((2..=9).contains(&errors), "{errors} % errors");
    let bytes = bytes / records.len();
    assert!((1_100..=1_800).contains(&bytes), "{bytes} bytes a record");
    let mut counts: Vec<usize> = names.into_values().collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    // A few calls make most of the volume, and there is a long tail.
    let head: usize = counts.iter().take(10).sum();
    assert!(head > records.len() * 2 / 5, "the ten most frequent calls are only {head}");
    assert!(counts.iter().rev().take(20).sum::<usize>() < records.len() / 50);
}

#[test]
fn people_keep_office_hours() {
    let mut options = options(4, 20_000);
    options.size.accounts = 1; // It lives an hour ahead of UTC.
    let (records, _) = generate(&options);
    let (mut day, mut night) = (0, 0);
    for record in &records {
        let arn = record["userIdentity"]["arn"].as_str().unwrap_or_default();
        if arn.contains("AWSReservedSSO") {
            let hour: u32 = record["eventTime"].as_str().unwrap()[11..13].parse().unwrap();
            *if (7..18).contains(&hour) { &mut day } else { &mut night } += 1;
        }
    }
    assert!(day > 10 * night, "{day} calls by day, {night} by night");
}

#[test]
fn the_ground_truth_names_records_that_exist_and_are_what_it_says() {
    let (records, truths) = generate(&options(3, 10_000));
    assert_eq!(truths.len(), attack::scenarios().unwrap().len());
    let by_id: BTreeMap<&str, &Value> =
        records.iter().map(|record| (record["eventID"].as_str().unwrap(), record)).collect();
    for truth in &truths {
        let truth = serde_json::to_value(truth).unwrap();
        let ids = truth["event_ids"].as_array().unwrap();
        assert!(!ids.is_empty());
        for id in ids {
            let record = by_id[id.as_str().unwrap()];
            assert_eq!(record["recipientAccountId"], truth["account"]);
            assert_eq!(record["sourceIPAddress"], truth["source_address"]);
            let time = record["eventTime"].as_str().unwrap();
            assert!(truth["start"].as_str().unwrap() <= time && time <= truth["end"].as_str().unwrap());
        }
        for expected in truth["expected"].as_array().unwrap() {
            assert!(expected["event_ids"].as_array().unwrap().iter().all(|id| ids.contains(id)));
        }
    }
}

#[test]
fn what_an_earlier_attack_did_is_not_new_to_a_rule() {
    let mut options = options(3, 10_000);
    options.attacks = vec!["intrusion".to_owned()];
    options.repeat_attacks = 3;
    // All three make the same user in the first account, so that its log-in to a machine is news only once.
    let (_, truths) = generate(&options);
    let log_ins = |truth: &Truth| {
        let of_rule =
            |it: &&truth::Expected| it.rule == "lateral_movement_ec2_instance_connect_by_new_identity";
        truth.expected.iter().filter(of_rule).count()
    };
    assert_eq!(truths.iter().map(log_ins).sum::<usize>(), 1);
    let administrators = |truth: &Truth| {
        let of_rule =
            |it: &&truth::Expected| it.rule == "privilege_escalation_iam_administrator_policy_attached";
        truth.expected.iter().filter(of_rule).count()
    };
    assert_eq!(truths.iter().map(administrators).sum::<usize>(), 3, "a query rule alerts every time");
}

#[test]
fn the_sweep_for_passwords_is_what_its_rule_looks_for() {
    let (records, truths) = generate(&options(3, 10_000));
    let truth = truths.iter().find(|truth| truth.scenario == "password-data-sweep").unwrap();
    let stem = "credential_access_ec2_get_password_data_assumed_role";
    let expected = truth.expected.iter().find(|expected| expected.rule == stem).unwrap();
    assert_eq!(expected.event_ids.len(), 1, "a new_terms rule alerts once a role");
    let refused: Vec<&Value> = records
        .iter()
        .filter(|record| {
            record["eventName"] == "GetPasswordData"
                && truth.event_ids.iter().any(|id| record["eventID"] == id.as_str())
        })
        .collect();
    assert_eq!(refused.len(), 30);
    for record in refused {
        assert_eq!(record["errorCode"], "Client.UnauthorizedOperation");
        assert_eq!(record["userIdentity"]["type"], "AssumedRole");
        assert!(record["responseElements"].is_null());
    }
}

#[test]
fn more_sensitive_calls_are_made_when_asked_for() {
    let secrets = |sensitive| {
        let mut options = options(8, 20_000);
        options.attacks = vec!["none".to_owned()];
        options.sensitive = sensitive;
        let (records, _) = generate(&options);
        records.iter().filter(|record| record["eventName"] == "GetSecretValue").count()
    };
    assert_eq!(secrets(0), 0);
    let (few, many) = (secrets(5_000), secrets(100_000));
    assert!(few < many / 4, "{few} and {many}");
}

#[test]
fn an_unknown_attack_is_refused_with_what_there_is() {
    let mut options = options(1, 1_000);
    options.attacks = vec!["sweep".to_owned()];
    let error = Data::new(&options, Path::new(RULES)).err().unwrap().to_string();
    assert!(error.contains("`sweep`") && error.contains("password-data-sweep"), "{error}");
}

#[test]
fn attacks_do_not_fit_into_fewer_records_than_they_have() {
    let error = Data::new(&options(1, 10), Path::new(RULES)).err().unwrap().to_string();
    assert!(error.contains("--records"), "{error}");
}

/// Records derived from those of the bundled example.
fn derived(seed: u64, records: u64, threads: usize) -> (BTreeMap<PathBuf, Vec<u8>>, Vec<Value>) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/cloudtrail");
    let options = Options { attacks: vec!["none".to_owned()], ..options(seed, records) };
    let mut data = Data::new(&options, Path::new(RULES)).unwrap();
    data.derived = Some(Derived::read(&[example], options.size.principals).unwrap());
    let folder = tempfile::tempdir().unwrap();
    data.write(folder.path(), Format::S3, Some(threads)).unwrap();
    let files = files(folder.path());
    let records = files.values().flat_map(|file| {
        let file: Value = serde_json::from_str(&unpacked(file)).unwrap();
        file["Records"].as_array().unwrap().clone()
    });
    let records = records.collect();
    (files, records)
}

#[test]
fn derived_records_are_the_same_for_a_seed() {
    let first = derived(5, 3_000, 1);
    assert_eq!(first.1.len(), 3_000);
    assert_eq!(first, derived(5, 3_000, 4));
    assert_ne!(first.0, derived(6, 3_000, 4).0);
}

/// What is left of real records is their shape: each derived one has the keys of one of them, and none of the values that
/// tell whose it was.
#[test]
fn derived_records_have_the_shape_of_real_ones_and_not_their_values() {
    fn shape(value: &Value) -> String {
        match value {
            Value::Object(object) => {
                let members = object.iter().map(|(key, value)| format!("{key}({})", shape(value)));
                members.collect::<Vec<_>>().join(",")
            }
            Value::Array(values) => values.iter().map(shape).collect::<Vec<_>>().join(","),
            _ => String::new(),
        }
    }
    fn own(record: &Value) -> Vec<String> {
        // The example's people live in the generator's world, too: the others are whoever they are.
        let values = [&record["eventID"], &record["requestID"], &record["userIdentity"]["accessKeyId"]];
        values.into_iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }
    let without_identity = |record: &Value| {
        let mut record = record.clone();
        record["userIdentity"] = Value::Null;
        shape(&record)
    };
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/cloudtrail");
    let (mut shapes, mut values) = (BTreeSet::new(), BTreeSet::new());
    for file in files(&example).values() {
        let file: Value = serde_json::from_str(&unpacked(file)).unwrap();
        for record in file["Records"].as_array().unwrap() {
            shapes.insert(without_identity(record));
            values.extend(own(record));
        }
    }
    let (_, records) = derived(1, 3_000, 2);
    let (mut seen, mut ids, mut callers) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for record in &records {
        let shape = without_identity(record);
        assert!(shapes.contains(&shape), "{record}");
        seen.insert(shape);
        assert!(ids.insert(record["eventID"].as_str().unwrap().to_owned()), "an event id twice");
        assert!(own(record).iter().all(|it| !values.contains(it)), "{record}");
        callers.extend(record["userIdentity"]["arn"].as_str().map(str::to_owned));
    }
    assert!(seen.len() > 30 && callers.len() > 20, "{} shapes, {} callers", seen.len(), callers.len());
}

#[test]
fn folders_without_records_are_no_source() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.json"), r#"{"Records":[]}"#).unwrap();
    let error = Derived::read(&[folder.path().to_owned()], 9).err().unwrap().to_string();
    assert!(error.contains("--from"), "{error}");
}
