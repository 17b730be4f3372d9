// Command main does with the AWS SDK for Go what an app does, and ends with an error if anything is otherwise than S3 has it.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

type app struct {
	client         *s3.Client
	bucket, prefix string
}

var background = context.Background()

// check ends the program with what was wrong.
func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func expect(what string, got, wanted interface{}) {
	if fmt.Sprint(got) != fmt.Sprint(wanted) {
		check(what, fmt.Errorf("got %v, not %v", got, wanted))
	}
}

func connect() *app {
	endpoint := aws.EndpointResolverWithOptionsFunc(func(service, region string, _ ...interface{}) (aws.Endpoint, error) {
		return aws.Endpoint{URL: os.Getenv("AWS_ENDPOINT_URL"), HostnameImmutable: true, SigningRegion: region}, nil
	})
	keys := credentials.NewStaticCredentialsProvider(
		os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN"))
	config := aws.Config{Region: os.Getenv("AWS_REGION"), Credentials: keys, EndpointResolverWithOptions: endpoint}
	client := s3.NewFromConfig(config, func(options *s3.Options) {
		options.UsePathStyle = true
		options.Retryer = aws.NopRetryer{}
	})
	return &app{client, os.Getenv("BUCKET"), os.Getenv("PREFIX")}
}

func (a *app) key(name string) *string { return aws.String(a.prefix + name) }

func (a *app) read(name string, ranged *string) string {
	got, err := a.client.GetObject(background, &s3.GetObjectInput{Bucket: &a.bucket, Key: a.key(name), Range: ranged})
	check("get "+name, err)
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	check("read "+name, err)
	return string(body)
}

func (a *app) objects() {
	name := "a b+ü&日.txt"
	_, err := a.client.PutObject(background, &s3.PutObjectInput{Bucket: &a.bucket, Key: a.key(name),
		Body: strings.NewReader("content"), ContentType: aws.String("text/plain"), Metadata: map[string]string{"mood": "good"}})
	check("put", err)
	head, err := a.client.HeadObject(background, &s3.HeadObjectInput{Bucket: &a.bucket, Key: a.key(name)})
	check("head", err)
	expect("metadata", head.Metadata["mood"], "good")
	expect("length", head.ContentLength, 7)
	expect("content", a.read(name, nil), "content")
	expect("range", a.read(name, aws.String("bytes=1-2")), "on")
	_, err = a.client.CopyObject(background, &s3.CopyObjectInput{Bucket: &a.bucket, Key: a.key("copy"),
		CopySource: aws.String(strings.NewReplacer("%2F", "/", "+", "%20").Replace(escape(a.bucket + "/" + a.prefix + name)))})
	check("copy", err)
	expect("copy", a.read("copy", nil), "content")
}

// escape writes what is no letter, digit or slash in hexadecimal digits.
func escape(text string) string {
	var out strings.Builder
	for _, character := range []byte(text) {
		if character == '/' || character == '-' || '0' <= character && character <= '9' || 'a' <= character && character <= 'z' {
			out.WriteByte(character)
		} else {
			fmt.Fprintf(&out, "%%%02X", character)
		}
	}
	return out.String()
}

func (a *app) listings() {
	for _, name := range []string{"list/1", "list/2", "list/deep/3"} {
		_, err := a.client.PutObject(background, &s3.PutObjectInput{Bucket: &a.bucket, Key: a.key(name), Body: strings.NewReader("x")})
		check("put "+name, err)
	}
	pages := s3.NewListObjectsV2Paginator(a.client, &s3.ListObjectsV2Input{Bucket: &a.bucket, Prefix: a.key("list/"), MaxKeys: 1})
	var found []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(background)
		check("list", err)
		for _, entry := range page.Contents {
			expect("tag", *entry.ETag, `"9dd4e461268c8034f5c8564e155c67a6"`)
			found = append(found, strings.TrimPrefix(*entry.Key, a.prefix))
		}
	}
	expect("listing", found, []string{"list/1", "list/2", "list/deep/3"})
	folder, err := a.client.ListObjectsV2(background, &s3.ListObjectsV2Input{Bucket: &a.bucket, Prefix: a.key("list/"), Delimiter: aws.String("/")})
	check("list a folder", err)
	expect("folder", *folder.CommonPrefixes[0].Prefix, a.prefix+"list/deep/")
	var objects []types.ObjectIdentifier
	for _, name := range found {
		objects = append(objects, types.ObjectIdentifier{Key: a.key(name)})
	}
	gone, err := a.client.DeleteObjects(background, &s3.DeleteObjectsInput{Bucket: &a.bucket, Delete: &types.Delete{Objects: objects}})
	check("delete", err)
	expect("deleted", len(gone.Deleted), 3)
}

func (a *app) transfers() {
	body := bytes.Repeat([]byte("0123456789"), 1_200_000)
	up := manager.NewUploader(a.client, func(u *manager.Uploader) { u.PartSize = 5 << 20 })
	// A reader that cannot be wound back has it work with parts of unknown number.
	_, err := up.Upload(background, &s3.PutObjectInput{Bucket: &a.bucket, Key: a.key("large"), Body: io.MultiReader(bytes.NewReader(body))})
	check("upload", err)
	down := manager.NewDownloader(a.client, func(d *manager.Downloader) { d.PartSize = 5 << 20 })
	buffer := manager.NewWriteAtBuffer(nil)
	_, err = down.Download(background, buffer, &s3.GetObjectInput{Bucket: &a.bucket, Key: a.key("large")})
	check("download", err)
	expect("what came down", bytes.Equal(buffer.Bytes(), body), true)
}

func (a *app) refusals() {
	_, err := a.client.GetObject(background, &s3.GetObjectInput{Bucket: &a.bucket, Key: a.key("missing")})
	var missing *types.NoSuchKey
	expect("a missing key", errors.As(err, &missing), true)
	_, err = a.client.HeadObject(background, &s3.HeadObjectInput{Bucket: &a.bucket, Key: a.key("missing")})
	var refused smithy.APIError
	expect("a missing key by HEAD", errors.As(err, &refused) && refused.ErrorCode() == "NotFound", true)
}

func (a *app) addresses() {
	signer := s3.NewPresignClient(a.client)
	put, err := signer.PresignPutObject(background, &s3.PutObjectInput{Bucket: &a.bucket, Key: a.key("signed")})
	check("sign", err)
	request, err := http.NewRequest(http.MethodPut, put.URL, strings.NewReader("signed"))
	check("make a request", err)
	answer, err := http.DefaultClient.Do(request)
	check("use an address", err)
	expect("status", answer.StatusCode, 200)
	expect("content", a.read("signed", nil), "signed")
}

func main() {
	a := connect()
	for _, try := range []func(){a.objects, a.listings, a.transfers, a.refusals, a.addresses} {
		try()
	}
	fmt.Println("done")
}
