//! What it costs to read a record: its tokens, its tape, and all of it by the parser that is asked otherwise.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use json::Tokens;
use std::hint::black_box;

/// A record of the usual size.
fn record(number: usize) -> String {
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"AssumedRole","principalId":"AROAEXAMPLE{number}:session","arn":"arn:aws:sts::111122223333:assumed-role/deploy/session","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/deploy","accountId":"111122223333","userName":"deploy"}},"webIdFederationData":{{}},"attributes":{{"creationDate":"2024-05-06T07:08:09Z","mfaAuthenticated":"false"}}}}}},"eventTime":"2024-05-06T07:18:09Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1","sourceIPAddress":"203.0.113.7","userAgent":"[aws-cli/2.15 \"quoted\"]","requestParameters":{{"bucketName":"data-{number}","key":"a/b/c/{number}.json","Host":"data.s3.eu-west-1.amazonaws.com"}},"responseElements":null,"additionalEventData":{{"SignatureVersion":"SigV4","CipherSuite":"ECDHE-RSA-AES128-GCM-SHA256","bytesTransferredIn":0.0,"AuthenticationMethod":"AuthHeader","bytesTransferredOut":1234.0}},"requestID":"EXAMPLE{number}","eventID":"11112222-3333-4444-5555-{number:012}","readOnly":true,"resources":[{{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::data-{number}/a/b/c/{number}.json"}},{{"accountId":"111122223333","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::data-{number}"}}],"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"111122223333","eventCategory":"Data","tlsDetails":{{"tlsVersion":"TLSv1.2","cipherSuite":"ECDHE-RSA-AES128-GCM-SHA256","clientProvidedHostHeader":"data.s3.eu-west-1.amazonaws.com"}}}}"#
    )
}

fn read(c: &mut Criterion) {
    let records: Vec<String> = (0..1000).map(record).collect();
    let mut group = c.benchmark_group("record");
    group.throughput(Throughput::Bytes(records.iter().map(|record| record.len() as u64).sum()));

    group.bench_function("tokens", |bench| {
        let mut tokens = Tokens::default();
        bench.iter(|| records.iter().for_each(|record| tokens.read(black_box(record))));
    });
    let tokens: Vec<Tokens> = records.iter().map(|record| Tokens::of(record)).collect();
    group.bench_function("tape of tokens", |bench| {
        bench.iter(|| {
            for (record, tokens) in records.iter().zip(&tokens) {
                let (mut spare, mut tape) = (Vec::new(), Vec::with_capacity(256));
                json::tape::fill(black_box(record), tokens, &mut spare, &mut tape)
                    .expect("records are plain");
                black_box(&tape);
            }
        });
    });
    group.bench_function("simd-json", |bench| {
        let mut buffers = simd_json::Buffers::default();
        let mut space = Vec::new();
        bench.iter(|| {
            for record in &records {
                space.clear();
                space.extend_from_slice(black_box(record.as_bytes()));
                black_box(
                    simd_json::to_tape_with_buffers(&mut space, &mut buffers).expect("records are JSON"),
                );
            }
        });
    });
    group.finish();
}

criterion_group!(benches, read);
criterion_main!(benches);
