//! What queues say of objects that came.

use serde_json::Value;

use crate::Address;
use crate::client::decoded;

/// A message is wrapped this often at most.
const WRAPS_MAX: u32 = 4;

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// Objects that came, in the order in which they stand there.
    pub objects: Vec<Address>,
    /// Things that happened and bring no object: removals, tests.
    pub others: u64,
}

/// It is no message of these.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no notification of S3, EventBridge or CloudTrail: {detail}")]
pub struct NoticeError {
    /// What is wrong.
    pub detail: String,
}

impl Notice {
    /// Reads the body of a message: as S3 sends it, as EventBridge does, as CloudTrail tells of its own files, each of them
    /// also in what SNS wraps around it.
    pub fn read(body: &str) -> Result<Self, NoticeError> {
        let mut notice = Self::default();
        let message = serde_json::from_str(body).map_err(|it| wrong(&it.to_string()))?;
        notice.take(&message, 0)?;
        Ok(notice)
    }

    fn take(&mut self, message: &Value, wraps: u32) -> Result<(), NoticeError> {
        let text = |name: &str| message[name].as_str();
        if let Some(records) = message["Records"].as_array() {
            for record in records {
                self.record(record)?;
            }
            return Ok(());
        }
        // CloudTrail tells of several files at a time.
        if let (Some(bucket), Some(keys)) = (text("s3Bucket"), message["s3ObjectKey"].as_array()) {
            for key in keys {
                let key = key.as_str().ok_or_else(|| wrong("a key is no text"))?;
                self.objects.push(address(bucket, key.to_owned())?);
            }
            return Ok(());
        }
        if text("source") == Some("aws.s3") {
            if text("detail-type") != Some("Object Created") {
                self.others += 1;
                return Ok(());
            }
            let detail = &message["detail"];
            let (bucket, key) = (detail["bucket"]["name"].as_str(), detail["object"]["key"].as_str());
            let (Some(bucket), Some(key)) = (bucket, key) else {
                return Err(wrong("it names no object"));
            };
            self.objects.push(address(bucket, key.to_owned())?);
            return Ok(());
        }
        if text("Event") == Some("s3:TestEvent") {
            self.others += 1;
            return Ok(());
        }
        if let Some(inner) = text("Message") {
            if wraps >= WRAPS_MAX {
                return Err(wrong("it is wrapped too often"));
            }
            // Whoever validates a bucket for CloudTrail sends a sentence.
            let Ok(inner) = serde_json::from_str(inner) else {
                if inner.starts_with("CloudTrail validation message") {
                    self.others += 1;
                    return Ok(());
                }
                return Err(wrong("the message in the message is no JSON"));
            };
            return self.take(&inner, wraps + 1);
        }
        Err(wrong("no member says what it is"))
    }

    /// One thing that S3 says.
    fn record(&mut self, record: &Value) -> Result<(), NoticeError> {
        // Where many subscribe to one topic, its messages come wrapped one in the other.
        if record["eventSource"] == "aws:sns" || record["EventSource"] == "aws:sns" {
            return self.take(&record["Sns"], 1);
        }
        let name = record["eventName"].as_str().ok_or_else(|| wrong("a record has no `eventName`"))?;
        let name = name.strip_prefix("s3:").unwrap_or(name);
        if !name.starts_with("ObjectCreated:") && !name.starts_with("ObjectRestore:Completed") {
            self.others += 1;
            return Ok(());
        }
        let (bucket, key) = (record["s3"]["bucket"]["name"].as_str(), record["s3"]["object"]["key"].as_str());
        let (Some(bucket), Some(key)) = (bucket, key) else { return Err(wrong("a record names no object")) };
        let key = decoded(key, true).ok_or_else(|| wrong("a key is no UTF-8"))?;
        self.objects.push(address(bucket, key)?);
        Ok(())
    }
}

fn wrong(detail: &str) -> NoticeError {
    NoticeError { detail: detail.to_owned() }
}

fn address(bucket: &str, key: String) -> Result<Address, NoticeError> {
    let mut address: Address = format!("s3://{bucket}/").parse().map_err(|_| wrong("no name of a bucket"))?;
    if address.bucket != bucket {
        return Err(wrong("no name of a bucket"));
    }
    if key.is_empty() {
        return Err(wrong("a key is empty"));
    }
    address.key = key;
    Ok(address)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn keys(message: &Value) -> Vec<String> {
        Notice::read(&message.to_string()).unwrap().objects.iter().map(ToString::to_string).collect()
    }

    fn s3(event: &str, key: &str) -> Value {
        json!({"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1", "eventName": event,
            "s3": {"bucket": {"name": "trail", "arn": "arn:aws:s3:::trail"}, "object": {"key": key, "size": 7}}})
    }

    fn sns(inner: &Value) -> Value {
        json!({"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:111122223333:t", "Message": inner.to_string()})
    }

    #[test]
    fn all_that_tell_of_objects_are_understood() {
        let direct = json!({"Records": [
            s3("ObjectCreated:Put", "AWSLogs/a+b%2Bc/%C3%A4.json.gz"),
            s3("ObjectRemoved:Delete", "gone"),
            s3("ObjectCreated:CompleteMultipartUpload", "b"),
        ]});
        assert_eq!(keys(&direct), ["s3://trail/AWSLogs/a b+c/ä.json.gz", "s3://trail/b"]);
        assert_eq!(Notice::read(&direct.to_string()).unwrap().others, 1);
        assert_eq!(keys(&sns(&direct)), keys(&direct));
        let bridge = json!({"version": "0", "source": "aws.s3", "detail-type": "Object Created",
            "detail": {"bucket": {"name": "trail"}, "object": {"key": "a b+c%20", "size": 7}}});
        assert_eq!(keys(&bridge), ["s3://trail/a b+c%20"]);
        assert_eq!(keys(&sns(&sns(&bridge))), keys(&bridge));
        let trail = json!({"s3Bucket": "trail", "s3ObjectKey": ["a", "b"]});
        assert_eq!(keys(&sns(&trail)), ["s3://trail/a", "s3://trail/b"]);
    }

    #[test]
    fn what_brings_no_object_is_no_error() {
        for message in [
            json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "trail"}),
            json!({"source": "aws.s3", "detail-type": "Object Deleted", "detail": {}}),
            json!({"Type": "Notification", "Message": "CloudTrail validation message."}),
        ] {
            assert_eq!(
                Notice::read(&message.to_string()),
                Ok(Notice { objects: Vec::new(), others: 1 }),
                "{message}"
            );
        }
    }

    #[test]
    fn anything_else_is_one() {
        let mut deep = json!({"s3Bucket": "trail", "s3ObjectKey": ["a"]});
        for _ in 0..9 {
            deep = sns(&deep);
        }
        for message in [
            json!({}),
            json!([]),
            json!({"Records": [{}]}),
            json!({"Records": [s3("ObjectCreated:Put", "")]}),
            json!({"Message": "no JSON"}),
            json!({"s3Bucket": "a/b", "s3ObjectKey": ["a"]}),
            deep,
        ] {
            assert!(Notice::read(&message.to_string()).is_err(), "{message}");
        }
        assert!(Notice::read("{").is_err());
    }

    proptest! {
        #[test]
        fn nothing_panics(body in ".{0,80}") {
            let _ = Notice::read(&body);
            let _ = Notice::read(&json!({"Message": body}).to_string());
        }
    }
}
