//! A queue of SQS: messages taken, kept away from others meanwhile, and removed when they are done with.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::client::{At, Call};
use crate::{BucketError, Client};

/// Messages that are asked for or removed at a time: SQS allows no more.
const BATCH_MAX: usize = 10;
/// How often it is looked whether a wait is over.
const LOOK: Duration = Duration::from_millis(100);

/// A queue.
#[derive(Clone, Debug)]
pub struct Queue {
    client: Client,
    /// Its address.
    url: String,
    /// Where it is asked for.
    host: String,
    region: String,
}

/// A message that was taken. It comes again, to anybody, if it is not removed in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// What removes it.
    pub receipt: String,
    /// What it says.
    pub body: String,
    /// How often it was taken, this time included.
    pub receives: u32,
    /// When it was sent.
    pub sent_ms: Option<i64>,
}

impl Queue {
    /// The queue of this address: `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`. The region is that of the address, if it
    /// has one, else that of the client.
    pub fn new(client: Client, url: &str) -> Result<Self, BucketError> {
        let wrong = || BucketError::NoQueue { queue: url.to_owned() };
        let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
        let (host, path) = rest.split_once('/').ok_or_else(wrong)?;
        let is_host =
            !host.is_empty() && host.bytes().all(|it| it.is_ascii_alphanumeric() || b".-:[]".contains(&it));
        if !matches!(scheme, "http" | "https") || !is_host || path.is_empty() {
            return Err(wrong());
        }
        let parts: Vec<&str> = host.split('.').collect();
        let region = match parts[..] {
            ["sqs", region, "amazonaws", ..] | [region, "queue", "amazonaws", ..] => region.to_owned(),
            _ => client.0.settings.region.clone(),
        };
        Ok(Self { client, url: url.to_owned(), host: format!("{scheme}://{host}"), region })
    }

    /// Takes messages, ten at most, and waits for the first of them up to so many seconds, unless `is_over`. Nobody else gets
    /// them for `hidden` seconds.
    pub fn receive(
        &self,
        wait: u32,
        hidden: u32,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Vec<Message>, BucketError> {
        let body = json!({
            "QueueUrl": self.url,
            "MaxNumberOfMessages": BATCH_MAX,
            "WaitTimeSeconds": wait,
            "VisibilityTimeout": hidden,
            "AttributeNames": ["ApproximateReceiveCount", "SentTimestamp"],
        });
        let over = async {
            while !is_over() {
                tokio::time::sleep(LOOK).await;
            }
        };
        let answer = self.client.wait(async {
            tokio::select! {
                answer = self.ask("ReceiveMessage", body) => answer.map(Some),
                // What was taken and does not arrive comes again.
                () = over => Ok(None),
            }
        });
        let Some(answer) = answer? else { return Ok(Vec::new()) };
        let messages = answer["Messages"].as_array().map_or(&[][..], Vec::as_slice);
        let mut all = Vec::new();
        for it in messages {
            let text = |name: &str| {
                it[name].as_str().map(str::to_owned).ok_or_else(|| BucketError::Answer {
                    what: self.url.clone(),
                    detail: format!("a message has no `{name}`"),
                })
            };
            let number = |name: &str| it["Attributes"][name].as_str().and_then(|it| it.parse::<i64>().ok());
            all.push(Message {
                id: text("MessageId")?,
                receipt: text("ReceiptHandle")?,
                body: text("Body")?,
                receives: number("ApproximateReceiveCount")
                    .and_then(|it| u32::try_from(it).ok())
                    .unwrap_or(1),
                sent_ms: number("SentTimestamp"),
            });
        }
        Ok(all)
    }

    /// Removes messages. What could not be removed comes again; how many that are.
    pub fn remove(&self, messages: &[&Message]) -> Result<usize, BucketError> {
        let mut left = 0;
        for some in messages.chunks(BATCH_MAX) {
            let entry =
                |(at, it): (usize, &&Message)| json!({"Id": at.to_string(), "ReceiptHandle": it.receipt});
            let entries: Vec<Value> = some.iter().enumerate().map(entry).collect();
            let body = json!({"QueueUrl": self.url, "Entries": entries});
            let answer = self.client.wait(self.ask("DeleteMessageBatch", body))?;
            left += answer["Failed"].as_array().map_or(0, Vec::len);
        }
        Ok(left)
    }

    /// Lets a message come again after so many seconds, and not before.
    pub fn postpone(&self, message: &Message, seconds: u32) -> Result<(), BucketError> {
        let body =
            json!({"QueueUrl": self.url, "ReceiptHandle": message.receipt, "VisibilityTimeout": seconds});
        self.client.wait(self.ask("ChangeMessageVisibility", body)).map(drop)
    }

    async fn ask(&self, action: &str, body: Value) -> Result<Value, BucketError> {
        let headers = [
            ("content-type", "application/x-amz-json-1.0".to_owned()),
            ("x-amz-target", format!("AmazonSQS.{action}")),
        ];
        let call = Call {
            method: Method::POST,
            at: At::Service("sqs", &self.host, &self.region),
            path: "/".to_owned(),
            headers: &headers,
            body: Bytes::from(body.to_string()),
            what: &self.url,
        };
        let text = self.client.text(&call).await?;
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text)
            .map_err(|it| BucketError::Answer { what: self.url.clone(), detail: it.to_string() })
    }
}
